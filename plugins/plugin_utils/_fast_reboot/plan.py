# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What an operator wants of the reboot of a host: read once, before the host is asked anything."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, replace

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._reboot import spec
from .._reboot.failure import RebootError
from .._reboot.observation import Method
from .._variables.family import Given, VariableError
from .._variables.roles import FAST_REBOOT, HEALTH, OPTIONS, OWN_SPEC
from . import files as task_files
from . import memory
from .files import TaskFiles

NAME_LENGTH = 100

# Made once, and not in the process of each host's task.
_VALIDATOR = ArgumentSpecValidator(spec.ARGUMENT_SPEC, **spec.RULES)


@dataclass(frozen=True)
class Hook:
    """Two files of tasks: one takes work from the host, the other gives it back."""

    name: str
    drain: str
    undrain: str
    # Whether it is undone in any case, because nobody can tell whether it changed something.
    always: bool = False


@dataclass(frozen=True)
class PowerCycle:
    """What resets a host that was lost: a command on another one, or a file of tasks."""

    # Whether there is a command; its words are kept where nobody shows them.
    command: bool
    # Whether that has a secret in it.
    no_log: bool
    delegate: str
    tasks: str
    timeout: float

    @property
    def exists(self) -> bool:
        return bool(self.command or self.tasks)


@dataclass(frozen=True)
class RunPlan:
    """What is done with one host. Nothing of it comes from the host, or is read once more."""

    # The arguments of kexec_reboot, with their defaults, and the way that is wanted among them.
    arguments: Given
    method: Method
    hooks: tuple[Hook, ...]
    health_tasks: tuple[str, ...]
    power_cycle: PowerCycle

    @property
    def files(self) -> tuple[str, ...]:
        """The files of tasks that somebody wrote for this host."""
        hooks = [(hook.drain, hook.undrain) for hook in self.hooks]
        found = [*(name for pair in hooks for name in pair), *self.health_tasks]
        return (*found, *([self.power_cycle.tasks] if self.power_cycle.tasks else []))


def changed(given: Given, changes: object) -> Given:
    """The variables with what another role wants in place of some of them."""
    if not changes:
        return given
    if not isinstance(changes, t.Mapping):
        # It may be what somebody meant to be a mapping, with a secret in it.
        raise VariableError(["fast_reboot_changes must be a mapping, and is none."])
    secret = [str(name) for name in changes if name in FAST_REBOOT.secrets]
    if secret:
        raise VariableError(
            [f"fast_reboot_changes has {', '.join(secret)}, which only its own variable can have."]
        )
    strange = [str(name) for name in changes if name not in FAST_REBOOT.specification]
    if strange:
        raise VariableError(
            [f"fast_reboot_changes has {', '.join(strange)}, which no variable is called."]
        )
    return {**given, **changes}


def make(given: Given, folder: str, files: TaskFiles) -> tuple[RunPlan, list[str]]:
    """The plan of the variables, by their names without the prefix, and the power cycle's command.

    A relative path begins at FOLDER. What cannot be carried out is told at once, all of it.
    """
    values = FAST_REBOOT.validated(given)
    own = {name: values[name] for name in OWN_SPEC}
    arguments, problems = _arguments(values)
    plan = _plan(own, arguments, folder)
    hides, wrong = task_files.load(plan.files, files, folder)
    problems += [*_relations(plan), *_commands(own["power_cycle_command"]), *wrong]
    if problems:
        raise VariableError(problems)
    hooks = tuple(replace(hook, always=hides[hook.drain]) for hook in plan.hooks)
    return replace(plan, hooks=hooks), own["power_cycle_command"]


def _arguments(values: Given) -> tuple[dict[str, t.Any], list[str]]:
    """What kexec_reboot gets, and what it would refuse, in the words of the role."""
    given = {option: values[name] for name, option in OPTIONS.items()}
    given["health"] = {option: values[name] for name, option in HEALTH.items()}
    result = _VALIDATOR.validate(given)
    arguments = t.cast("dict[str, t.Any]", result.validated_parameters)
    try:
        spec.parse(arguments, "")
    except RebootError as error:
        return arguments, [_in_words_of_the_role(str(error))]
    return arguments, list(result.error_messages)


def _in_words_of_the_role(message: str) -> str:
    """What is said of an option, said of the variable that it came from."""
    names = {f"health.{option}": name for name, option in HEALTH.items()}
    names |= {option: name for name, option in OPTIONS.items()}
    named = re.match(r"The option ([a-z_.]*[a-z])", message)
    if named is None or named[1] not in names:
        return message
    return f"The variable {FAST_REBOOT.prefix}{names[named[1]]}{message[named.end() :]}"


def _plan(own: Given, arguments: Given, folder: str) -> RunPlan:
    def absolute(path: str) -> str:
        return os.path.join(folder, path)

    hooks = tuple(
        Hook(hook["name"], absolute(hook["drain"]), absolute(hook["undrain"]))
        for hook in own["hooks"]
    )
    tasks = own["power_cycle_tasks"]
    return RunPlan(
        arguments=arguments,
        method=arguments["method"],
        hooks=hooks,
        health_tasks=tuple(map(absolute, own["health_tasks"])),
        power_cycle=PowerCycle(
            command=bool(own["power_cycle_command"]),
            no_log=own["power_cycle_no_log"],
            delegate=own["power_cycle_delegate"],
            tasks=absolute(tasks) if tasks else "",
            timeout=own["power_cycle_timeout"],
        ),
    )


def _commands(words: t.Sequence[str]) -> t.Iterator[str]:
    """A command that could not be run once the host is lost."""
    if words and not (words[0].strip() and all(map(str.isprintable, words))):
        yield (
            "The variable fast_reboot_power_cycle_command must begin with a program, and have no control "
            "characters."
        )


def _relations(plan: RunPlan) -> t.Iterator[str]:
    """What is right for itself, and not together."""
    names = [hook.name for hook in plan.hooks]
    if len(set(names)) < len(names):
        yield "Two hooks in fast_reboot_hooks have the same name."
    fitting = memory.hooks_that_fit(names)
    if fitting < len(names):
        yield (
            f"The variable fast_reboot_hooks has {len(names)} hooks, and a host can remember {fitting} of them: "
            f"at most {memory.HOOKS_LINES}, and of their names {memory.HOOKS_BYTES} bytes. Have one hook do more, "
            "or give them shorter names."
        )
    for name in names:
        # It is kept on the host, and must be the same when it comes back.
        if not (name.isprintable() and 0 < len(name) <= NAME_LENGTH):
            yield (
                f"A hook in fast_reboot_hooks has the name {name!r}, which must be of 1 to "
                f"{NAME_LENGTH} characters, and of such as can be shown."
            )
    cycle = plan.power_cycle
    if cycle.command and cycle.tasks:
        yield (
            "Of fast_reboot_power_cycle_command and fast_reboot_power_cycle_tasks only one can be set."
        )
    if (cycle.command or cycle.tasks) and not cycle.delegate:
        yield "The variable fast_reboot_power_cycle_delegate is empty and must name a host."
    # Ansible counts whole seconds, and takes 0 for no limit.
    if not 1 <= cycle.timeout <= spec.TIME_LIMIT:
        yield (
            f"The variable fast_reboot_power_cycle_timeout is {cycle.timeout:g} and must be at least "
            f"1 and at most {spec.TIME_LIMIT:.0f}, in seconds."
        )

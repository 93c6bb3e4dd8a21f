# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role: what they become, and what is refused before a host is asked."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import plan
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.files import (
    FileError,
    FoundTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.plan import (
    Hook,
    RunPlan,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.playbooks import (
    Playbooks,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import roles
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.family import (
    VariableError,
)

from tests.plays.run import ROOT
from tests.unit.role_tasks import task_of_role

ROLE = ROOT / "roles/fast_reboot"
HOOK = {"name": "lb", "drain": "drain.yml", "undrain": "/srv/undrain.yml"}


def read(name: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load((ROLE / name).read_text(encoding="utf-8")))


DEFAULTS = {
    name.removeprefix(roles.FAST_REBOOT.prefix): value
    for name, value in read("defaults/main.yml").items()
}


class AnyFiles:
    """Files of all names but some, with nothing in them."""

    def tasks(self, path: str, above: FoundTask | None = None) -> list[FoundTask]:
        if "no-such" in path:
            raise FileError(f"There is no task file {path}.")
        return []

    def tasks_of_role(self, found: FoundTask) -> list[FoundTask]:
        return []

    def is_own(self, found: FoundTask) -> bool:
        return False


def make(**given: t.Any) -> tuple[RunPlan, list[str]]:
    return plan.make({**DEFAULTS, **given}, "/play", AnyFiles())


def problems(**given: t.Any) -> str:
    with pytest.raises(VariableError) as caught:
        make(**given)
    return " ".join(caught.value.problems)


def test_defaults_make_a_plan() -> None:
    made, command = make()
    assert (made.hooks, made.health_tasks, made.power_cycle.exists, command) == ((), (), False, [])
    assert made.arguments["health"]["services"] is True
    # They are what kexec_reboot takes.
    assert spec.parse(made.arguments, "web1").reboot_timeout == 600


def test_what_another_role_says_is_heard_from_nowhere_else() -> None:
    entries = read("meta/argument_specs.yml")["argument_specs"].values()
    options = {name: option for entry in entries for name, option in entry["options"].items()}
    said = {name for name, option in options.items() if "default" not in option}
    assert said == {
        f"{roles.FAST_REBOOT.prefix}{name}" for name in ("boot", "changed", "changes", "frozen")
    }
    # Variables of a role win over those of an inventory, and over facts of a host.
    assert said <= set(read("vars/main.yml"))
    roles.FAST_REBOOT.refuse_unknown(said)


def test_all_variables_of_the_role_are_known() -> None:
    found = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    options = [name for name, option in found.items() if "default" in option]
    assert [
        f"{roles.FAST_REBOOT.prefix}{name}" for name in roles.FAST_REBOOT.specification
    ] == sorted(
        options,
        key=[f"{roles.FAST_REBOOT.prefix}{name}" for name in roles.FAST_REBOOT.specification].index,
    )


@pytest.mark.parametrize("name", roles.FAST_REBOOT.specification)
def test_variable_has_the_type_that_is_documented(name: str) -> None:
    options = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    mine = {**spec.ARGUMENT_SPEC, **roles.OWN_SPEC}.get(roles.OPTIONS.get(name, name))
    option = mine or spec.HEALTH_SPEC[roles.HEALTH[name]]
    assert option["type"] == options[f"{roles.FAST_REBOOT.prefix}{name}"]["type"]


def test_paths_begin_at_the_playbook() -> None:
    made, _command = make(hooks=[HOOK], health_tasks=["a/check.yml"], power_cycle_tasks="reset.yml")
    assert made.hooks == (Hook("lb", "/play/drain.yml", "/srv/undrain.yml"),)
    assert made.health_tasks == ("/play/a/check.yml",)
    assert made.power_cycle.tasks == "/play/reset.yml"


@pytest.mark.usefixtures("plugins_found")
def test_hook_whose_tasks_hide_their_changes_is_known(tmp_path: Path) -> None:
    drains = {"a": "- debug:\n  run_once: true\n", "b": "- debug:\n"}
    for name, text in drains.items():
        (tmp_path / name).write_text(text)
    hooks = [{"name": name, "drain": name, "undrain": "b"} for name in drains]
    made, _command = plan.make(
        {**DEFAULTS, "hooks": hooks}, str(tmp_path), Playbooks(task_of_role(tmp_path))
    )
    assert [hook.always for hook in made.hooks] == [True, False]


def test_plan_is_the_same_after_a_task_has_handed_it_to_the_next() -> None:
    made, command = make(
        hooks=[HOOK],
        health_tasks=["check.yml"],
        health_commands=["nginx -t"],
        power_cycle_command=["reset", "password"],
    )
    handed = json.loads(json.dumps(asdict(made)))
    assert parse(RunPlan, handed) == made
    # The command goes another way, on which nobody shows it.
    assert "password" not in json.dumps(handed)
    assert command == ["reset", "password"]


@pytest.mark.parametrize(
    ("given", "where", "found"),
    [
        pytest.param({"health_commands": "nginx -t, b"}, "commands", ["nginx -t, b"], id="command"),
        pytest.param({"health_ports": 22}, "ports", [22], id="port"),
        pytest.param({"health_ports": "22"}, "ports", [22], id="port as a text"),
        pytest.param({"ignore_services": "ntpd"}, "ignore_services", ["ntpd"], id="service"),
        pytest.param({"health_services": "no"}, "services", False, id="no for false"),
    ],
)
def test_one_value_stands_for_a_list_of_one(given: t.Any, where: str, found: t.Any) -> None:
    made, _command = make(**given)
    assert made.arguments["health"][where] == found


def test_one_hook_stands_for_a_list_of_one() -> None:
    assert [hook.name for hook in make(hooks=HOOK)[0].hooks] == ["lb"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("reset 'web 1'", ["reset", "web 1"]),
        (["reset", "web 1"], ["reset", "web 1"]),
        ("", []),
        ([], []),
    ],
)
def test_power_cycle_is_a_command_as_a_text_or_in_words(given: t.Any, words: list[str]) -> None:
    made, command = make(power_cycle_command=given)
    assert (command, made.power_cycle.exists) == (words, bool(words))


REFUSALS: dict[str, tuple[dict[str, t.Any], str]] = {
    "a truth for a time": ({"timeout": True}, "is True, a truth value, and must be a number."),
    "a truth among ports": ({"health_ports": [22, True]}, "must be a number or a list"),
    "a mapping for a command": ({"power_cycle_command": {}}, "must be a text or a list"),
    "no program": ({"power_cycle_command": [""]}, "must begin with a program"),
    "a control character": ({"power_cycle_command": ["reset", "a\nb"]}, "no control characters."),
    "a reset by nobody": (
        {"power_cycle_command": "reset", "power_cycle_delegate": ""},
        "fast_reboot_power_cycle_delegate is empty",
    ),
    "no time that Ansible counts": ({"power_cycle_timeout": 0.5}, "is 0.5 and must be at least 1"),
    "two lines for a parameter": (
        {"cmdline_append": "a\nb"},
        "The variable fast_reboot_cmdline_append has 'a\\nb'",
    ),
    "no parameter": ({"cmdline_append": [""]}, "which is no parameter of a kernel"),
    "nothing": ({"stable_seconds": None}, "cannot be omitted: fast_reboot_stable_seconds."),
    "a word for a time": ({"timeout": "soon"}, "'fast_reboot_timeout'"),
    "a negative time": ({"timeout": -1}, "The variable fast_reboot_timeout is -1 and must be"),
    "no time": ({"stable_seconds": "nan"}, "fast_reboot_stable_seconds is 'nan', a text,"),
    "a time of health": ({"health_timeout": -3}, "The variable fast_reboot_health_timeout is -3"),
    "a time of the host": ({"watchdog_timeout": -1}, "variable fast_reboot_watchdog_timeout is -1"),
    "an unknown method": ({"method": "kexek"}, "value of fast_reboot_method must be one of"),
    "an unknown reason": ({"ignore_reasons": ["no"]}, "value of fast_reboot_ignore_reasons"),
    "a port too high": ({"health_ports": 99999}, "fast_reboot_health_ports has 99999"),
    "a name for a port": ({"health_ports": ["https"]}, "'fast_reboot_health_ports'"),
    "services in one text": ({"ignore_services": "local,ntpd"}, "'local,ntpd', which is no name"),
    "an open quote": ({"health_commands": ["a 'b"]}, "fast_reboot_health_commands has"),
    "an open quote in the reset": (
        {"power_cycle_command": "a 'b"},
        "fast_reboot_power_cycle_command is no command: No closing quotation",
    ),
    "a list for a text": ({"test_command": ["a"]}, "test_command is ['a'], a list, and"),
    "a word for yes": ({"health_services": "maybe"}, "'fast_reboot_health_services'"),
    "no file": ({"health_tasks": "no-such.yml"}, "There is no task file /play/no-such.yml."),
    "a hook without a file": (
        {"hooks": [{**HOOK, "undrain": "no-such.yml"}]},
        "There is no task file /play/no-such.yml.",
    ),
    "half a hook": ({"hooks": [{"name": "a"}]}, "drain, undrain found in fast_reboot_hooks"),
    "a text for a hook": ({"hooks": ["a"]}, "'fast_reboot_hooks'"),
    "more than a hook": ({"hooks": [{**HOOK, "when": "x"}]}, "fast_reboot_hooks.when"),
    "hooks of one name": ({"hooks": [HOOK, HOOK]}, "Two hooks in fast_reboot_hooks have the same"),
    "a hook without a name": ({"hooks": [{**HOOK, "name": ""}]}, "of 1 to 100 characters"),
    "two ways to reset": (
        {"power_cycle_command": ["a"], "power_cycle_tasks": "b"},
        "only one can be set",
    ),
    "no time for a reset": ({"power_cycle_timeout": 0}, "fast_reboot_power_cycle_timeout is 0"),
    "a mapping for commands": ({"health_commands": {"a": "b"}}, "must be a command or a list"),
    "no number": ({"power_cycle_timeout": "nan"}, "power_cycle_timeout is 'nan', a text,"),
}


@pytest.mark.parametrize(("given", "said"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_carried_out_is_refused(given: dict[str, t.Any], said: str) -> None:
    assert said in problems(**given)


@pytest.mark.parametrize(
    ("number", "name", "fitting"),
    [
        (100, "hook {}", 100),
        (101, "hook {}", 100),
        (300, "hook {}", 100),
        (100, "hook {} " + "\u263a" * 90, 14),
    ],
)
def test_more_hooks_than_a_host_can_remember_are_refused(
    number: int, name: str, fitting: int
) -> None:
    hooks = [{**HOOK, "name": name.format(each)} for each in range(number)]
    if number == fitting:
        assert len(make(hooks=hooks)[0].hooks) == number
        return
    said = f"fast_reboot_hooks has {number} hooks, and a host can remember {fitting} of them"
    assert said in problems(hooks=hooks)


def test_another_role_changes_some_of_the_variables() -> None:
    assert plan.changed(DEFAULTS, "") == DEFAULTS
    assert plan.changed(DEFAULTS, {"timeout": 7}) == {**DEFAULTS, "timeout": 7}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"methud": "firmware"}, "fast_reboot_changes has methud, which no variable is called"),
        # Its playbook has it, and the role does not.
        ({"serial": 1}, "fast_reboot_changes has serial, which no variable is called"),
        ({1: 2}, "fast_reboot_changes has 1, which no variable is called"),
        (["method"], "fast_reboot_changes must be a mapping, and is none."),
        # Nothing of it is shown: it may be a mapping that somebody has quoted.
        ("power_cycle_command: [x]", "fast_reboot_changes must be a mapping, and is none."),
        # The tasks that hide what may be a secret look at its own variable.
        (
            {"power_cycle_command": ["ipmi", "password"]},
            "fast_reboot_changes has power_cycle_command, which only its own variable can have.",
        ),
    ],
)
def test_change_of_what_is_no_variable_is_refused(changes: object, said: str) -> None:
    with pytest.raises(VariableError, match=re.escape(said)):
        plan.changed(DEFAULTS, changes)


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = problems(timeout=-1, hooks=[{**HOOK, "name": ""}], health_tasks="no-such.yml")
    for each in ("fast_reboot_timeout is -1", "of 1 to 100 characters", "no task file"):
        assert each in said


@pytest.mark.parametrize(
    ("names", "unknown"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["fast_reboot_timeout", "fast_reboot_hosts", "kexec_x"], "", id="all known"),
        pytest.param(["fast_reboot_error_budget", "fast_reboot_result"], "", id="of others"),
        pytest.param(
            ["fast_reboot_timeuot", "fast_reboot_hook"],
            "There is no variable fast_reboot_hook, fast_reboot_timeuot of alpinefleet.kexec.fast_reboot",
            id="misspelled",
        ),
    ],
)
def test_variable_that_is_none_of_the_role_is_named(names: list[str], unknown: str) -> None:
    if not unknown:
        roles.FAST_REBOOT.refuse_unknown(names)
        return
    with pytest.raises(VariableError, match=unknown):
        roles.FAST_REBOOT.refuse_unknown(names)

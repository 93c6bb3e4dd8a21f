# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How a step of a role asks a host what it is like, and says why it goes no further."""

from __future__ import annotations

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason, sentence

from .._parsing import unanswered
from .._parsing.answer import Answer, parse
from .._step import StepError

# What a step is given, and what it returns.
StepArguments = t.Mapping[str, t.Any]
StepResult = dict[str, t.Any]
# Runs a module with its arguments on the host.
RunModule = t.Callable[[str, dict[str, t.Any]], t.Mapping[str, t.Any]]


class Asking:
    """The preflight of one host."""

    def __init__(self, run_module: RunModule, controller_boot_id: str | None) -> None:
        self._run_module = run_module
        self._controller_boot_id = controller_boot_id

    def result(self, options: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
        """What the module returns of a host that must not be the controller."""
        known = (
            {}
            if self._controller_boot_id is None
            else {"controller_boot_id": self._controller_boot_id}
        )
        return self._run({**options, **known})

    def answer(self, options: t.Mapping[str, t.Any], *needed: str) -> Answer:
        """What a host says that is to be rebooted, with the values that are needed."""
        return _usable(self.result(options), needed)

    def answer_of_any(self, *needed: str) -> Answer:
        """What a host says that may be the controller itself."""
        return _usable(self._run({}), needed)

    def _run(self, options: dict[str, t.Any]) -> t.Mapping[str, t.Any]:
        """A preflight has no facts for Ansible; a host that says some wants variables of the play."""
        result = self._run_module(unanswered.PREFLIGHT, options)
        return {name: value for name, value in result.items() if name != "ansible_facts"}


def _usable(result: t.Mapping[str, t.Any], needed: t.Sequence[str]) -> Answer:
    found = parse(result)
    if found.failed:
        told = unanswered.silent(found.said)
        # Of its other words none becomes one of the step.
        unreachable = {"unreachable": True} if found.unreachable else {}
        raise StepError(told.message, told.remedy, **unreachable)
    defects = found.defects(needed)
    if defects:
        told = unanswered.invalid(defects)
        raise StepError(told.message, told.remedy)
    return found


def refuse(why: str, remedy: str = "") -> None:
    """Go no further with a host, unless there is nothing to say against it."""
    if why:
        raise StepError(why, remedy)


def sentences(reasons: t.Iterable[Reason]) -> str:
    """What was found, each with its remedy."""
    return " ".join(map(sentence, reasons))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for what the actions reboot hosts with: it reboots nothing and answers from a script.

The variable "script" of the host has the results of the prediction, of the order, of the wait, and
of the wait after a power cycle, and what is found when the host is looked at: at once, and later.
What it remembers is "memory", or is kept in the file "kept_in" from one run to the next.
What is below the name of a method holds for a reboot by that one.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.clock import SystemClock

Result = dict[str, t.Any]
Variables = dict[str, t.Any]


class ScriptedTask:
    """One task of kexec_reboot, as far as the role and its actions see of it."""

    answer: t.Any = None

    def __init__(self, script: Result, host: str, *, check_mode: bool) -> None:
        self._script = script
        self._host = host
        self._check_mode = check_mode

    def take(self, _run: str) -> str:
        return self.tell()

    def tell(self) -> str:
        if self._kept is not None and self._kept.exists():
            return self._kept.read_text()
        return str(self._script.get("memory", ""))

    def keep(self, run: str, note: str, *, known: bool) -> None:
        """Nothing is remembered, unless there is a file for it."""
        if self._kept is not None:
            self._kept.write_text(note and f"{run} {note}\n")

    @property
    def _kept(self) -> Path | None:
        place = self._script.get("kept_in")
        return Path(place) if place else None

    def run(self, request: t.Any, _before_order: t.Any = None) -> Result:
        self._heed(request.method)
        result = self._answer("predict" if self._check_mode else "order")
        if not request.wait and not result.get("failed"):
            result["order"] = {**self._ordered, "host": self._host}
        return result

    def wait_and_look(
        self, _request: t.Any, handed: t.Any, _within: float
    ) -> tuple[Result, list[str]]:
        self._heed(handed.method)
        lost_before = handed.fallback != self._ordered["fallback"]
        return self._answer("again" if lost_before else "wait"), self._script["looks"][0]

    def look(self, _wanted: t.Any, _before: t.Any, _boot_id: str, _seconds: float) -> list[str]:
        return t.cast("list[str]", self._script["looks"][1])

    def _heed(self, method: str) -> None:
        self._script = {**self._script, **self._script.get(method, {})}

    @property
    def _ordered(self) -> Result:
        return t.cast("Result", self._script["order"].get("order", self._script["ordered"]))

    def _answer(self, step: str) -> Result:
        result = {**self._script[step]}
        if result.get("unreachable"):
            raise AnsibleConnectionFailure(result["msg"])
        if result.get("failed") and "reason" not in result:
            raise AnsibleActionFail(result["msg"])
        return result


class RebootingAction(ActionBase):
    """An action with such a task."""

    _supports_check_mode = True
    _supports_async = False

    clock = SystemClock()

    def name_of_host(self, variables: Variables) -> str:
        return str(self._task.delegate_to or variables["inventory_hostname"])

    def reboot_task(self, variables: Variables, *, check_mode: bool) -> ScriptedTask:
        script = self._templar.template(variables["script"])
        return ScriptedTask(script, self.name_of_host(variables), check_mode=check_mode)

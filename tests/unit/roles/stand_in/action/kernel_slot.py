# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the modules of kernels, of which each call is told what to answer."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """It is told apart by its name alone.

    It answers by the variable "script" of the host: for each state one answer after the other, the last again.
    """

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        variables = task_vars or {}
        script = self._templar.template(variables["script"])
        module, state = (
            self._task.action.rpartition(".")[2],
            self._task.args.get("state") or "facts",
        )
        answers = script[module].get(state) or script[module]["facts"]
        calls = (
            Path(script["kept_in"]).parent
            / f"calls-of-{variables['inventory_hostname']}-{module}-{state}"
        )
        count = len(calls.read_text(encoding="utf-8")) if calls.exists() else 0
        calls.write_text("." * (count + 1), encoding="utf-8")
        found = answers[min(count, len(answers) - 1)]
        return {**super().run(tmp, variables), "changed": False, "asked": self._task.args, **found}

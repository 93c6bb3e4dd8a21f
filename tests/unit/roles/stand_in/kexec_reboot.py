# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the action kexec_reboot: it reboots nothing and answers from a script.

The variable "script" of the host has the results of the prediction, of the order, of the wait, and
of the wait after a power cycle.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """What the role sees of a reboot."""

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        script = self._templar.template((task_vars or {})["script"])
        result = script[self._step(script)]
        if self._task.check_mode and not self._task.args.get("wait", True):
            # Another task would wait for it.
            result = {**result, "order": script["order"].get("order")}
        return t.cast("dict[str, t.Any]", result)

    def _step(self, script: dict[str, t.Any]) -> str:
        if self._task.check_mode:
            return "predict"
        awaited = self._task.args.get("wait_for")
        if awaited is None:
            return "order"
        return "wait" if awaited == script["order"]["order"] else "again"

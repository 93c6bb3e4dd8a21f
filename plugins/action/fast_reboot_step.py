# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.playbooks import (
    Playbooks,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.steps import Steps
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.task import (
    STEP_ARGUMENTS,
    RoleTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot.action import (
    RebootingAction,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import turns


class ActionModule(RebootingAction):
    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        steps = Steps(
            self.name_of_host(variables),
            lambda check_mode: self.reboot_task(variables, check_mode=check_mode),
            self.clock,
            check_mode=self._task.check_mode,
        )
        template, files = self._templar.template, Playbooks(self._task)
        role = RoleTask(variables, steps, template, files, turns.of(self._task))
        return outcome(self, STEP_ARGUMENTS, role.step)

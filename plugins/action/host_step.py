# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.asking import Asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.task import (
    HOST_STEP_SPEC,
    HostTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import controller
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import turns


class ActionModule(ActionBase):
    """One step of a role that makes a host able, or upgrades it."""

    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        asking = Asking(
            lambda name, options: self._execute_module(
                module_name=name, module_args=options, task_vars=variables
            ),
            controller.boot_id(),
        )
        task = HostTask(variables, asking, turns.of(self._task), check_mode=self._task.check_mode)
        return outcome(self, HOST_STEP_SPEC, task.step)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the actions that reboot a host have in common: what Ansible lends them."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable

from .._reboot.ports import Clock
from .._transport.clock import SystemClock
from .task import Ansible, RebootTask

display = Display()

TaskVariables = dict[str, t.Any]


class RebootingAction(ActionBase):
    """An action that may reboot the host of its task."""

    _supports_check_mode = True
    _supports_async = False

    clock: Clock = SystemClock()

    def name_of_host(self, variables: TaskVariables) -> str:
        return str(self._task.delegate_to or variables["inventory_hostname"])

    def reboot_task(self, variables: TaskVariables, *, check_mode: bool) -> RebootTask:
        """One task of kexec_reboot, over the connection of this one."""
        lent = Ansible(
            connection=self._connection,
            execute=self._low_level_execute_command,
            run_module=lambda name, arguments: self._execute_module(
                module_name=name, module_args=arguments, task_vars=variables
            ),
            clean_up=lambda: self.cleanup(force=True),
            log=self._log,
            check_mode=check_mode,
        )
        return RebootTask(lent, self.clock)

    def _log(self, message: str) -> None:
        name = self._task.action.rpartition(".")[2]
        display.vvv(f"{name}: {printable(message)}", host=self._play_context.remote_addr)

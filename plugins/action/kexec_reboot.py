# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import results, spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._task import Ansible, RebootTask
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.clock import SystemClock

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        clock = SystemClock()
        started = clock.now()
        task = RebootTask(self._lend(variables), clock)
        try:
            result = task.run(spec.parse(self._arguments(), self._name_of_host(variables)))
        except RebootError as error:
            result = results.failed(error, task.answer)
        return {**printable(result), "elapsed": round(clock.now() - started, 2)}

    def _arguments(self) -> dict[str, t.Any]:
        try:
            _validation, arguments = self.validate_argument_spec(spec.ARGUMENT_SPEC, **spec.RULES)
        except AnsibleActionFail as error:
            raise spec.refusal(
                f"The arguments cannot be used: {error}.",
                "See the documentation of the module.",
                waits="wait_for" in self._task.args,
            ) from None
        return t.cast("dict[str, t.Any]", arguments)

    def _name_of_host(self, variables: dict[str, t.Any]) -> str:
        return str(self._task.delegate_to or variables["inventory_hostname"])

    def _lend(self, variables: dict[str, t.Any]) -> Ansible:
        return Ansible(
            connection=self._connection,
            execute=self._low_level_execute_command,
            run_module=lambda name, arguments: self._execute_module(
                module_name=name, module_args=arguments, task_vars=variables
            ),
            clean_up=lambda: self.cleanup(force=True),
            log=self._log,
            check_mode=self._task.check_mode,
        )

    def _log(self, message: str) -> None:
        display.vvv(f"kexec_reboot: {printable(message)}", host=self._play_context.remote_addr)

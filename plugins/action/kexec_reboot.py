# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot.action import (
    RebootingAction,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import results, spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError


class ActionModule(RebootingAction):
    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        started = self.clock.now()
        task = self.reboot_task(variables, check_mode=self._task.check_mode)
        try:
            result = task.run(spec.parse(self._arguments(), self.name_of_host(variables)))
        except RebootError as error:
            result = results.failed(error, task.answer)
        return {**printable(result), "elapsed": round(self.clock.now() - started, 2)}

    def _arguments(self) -> dict[str, t.Any]:
        try:
            _validation, arguments = self.validate_argument_spec(spec.ARGUMENT_SPEC, **spec.RULES)
        except AnsibleActionFail as error:
            raise spec.refusal(
                f"The arguments cannot be used: {error}.",
                "Correct the option that is named; ansible-doc alpinefleet.kexec.kexec_reboot has them all.",
                waits="wait_for" in self._task.args,
            ) from None
        return t.cast("dict[str, t.Any]", arguments)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import contextlib
import secrets
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import orders, results, spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.answer import Answer, parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import (
    RebootError,
    local_connection,
    module_hung,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import (
    Order,
    Reboot,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import client, controller
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.clock import SystemClock
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.limit import (
    CallTimeoutError,
    limit,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.remote import (
    AnsibleRemote,
)

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(spec.ARGUMENT_SPEC, **spec.RULES)
        clock = SystemClock()
        started = clock.now()
        self._answer = Answer()
        try:
            request = spec.parse(arguments, self._name_of_host(task_vars or {}))
            result = self._reboot(request, task_vars or {}, clock)
        except RebootError as error:
            result = results.failed(error, self._answer)
        return {**printable(result), "elapsed": round(clock.now() - started, 2)}

    def _name_of_host(self, task_vars: dict[str, t.Any]) -> str:
        return str(self._task.delegate_to or task_vars["inventory_hostname"])

    def _reboot(
        self, request: spec.Request, task_vars: dict[str, t.Any], clock: SystemClock
    ) -> dict[str, t.Any]:
        if self._connection.transport == "local":
            raise local_connection(rebooted=None if request.wait_for else False)
        if request.wait_for is not None:
            return self._wait(request, request.wait_for, clock)
        token, started = secrets.token_hex(16), clock.now()
        answer = self._prepare(request, task_vars, token)
        seconds = clock.now() - started
        order = orders.order_for(request, answer, token=token, seconds=seconds)
        if self._task.check_mode:
            return results.predicted(order, answer, wait=request.wait)
        with self._rebooting(order, request, clock) as reboot:
            if not request.wait:
                acknowledged = reboot.leave()
                return results.ordered(
                    order, answer, acknowledged=acknowledged, unheard=reboot.unheard
                )
            return results.proven(order, reboot.run(), answer)

    def _wait(
        self, request: spec.Request, handed: t.Mapping[str, t.Any], clock: SystemClock
    ) -> dict[str, t.Any]:
        """Wait for a reboot that another task ordered."""
        order, self._answer = orders.taken_over(request, handed)
        if self._task.check_mode:
            return results.not_waited(self._answer)
        with self._rebooting(order, request, clock) as reboot:
            return {**results.proven(order, reboot.wait(), self._answer), "changed": False}

    def _prepare(self, request: spec.Request, task_vars: dict[str, t.Any], token: str) -> Answer:
        """Look at the host, and load the image."""
        name, call = orders.module_call(
            request, token=token, controller_boot_id=controller.boot_id()
        )
        try:
            with self._bounded(request.reboot_timeout):
                self._answer = parse(
                    self._execute_module(module_name=name, module_args=call, task_vars=task_vars)
                )
                # The files of the module must be gone before the host is.
                self.cleanup(force=True)
        finally:
            # What was not removed by now would be tried again afterwards, without a bound, and turn
            # the result into "unreachable".
            self._connection._shell.tmpdir = None
        return self._answer

    @contextlib.contextmanager
    def _bounded(self, seconds: float) -> t.Iterator[None]:
        """A host that vanishes meanwhile, or a command on it that hangs, is not waited for."""
        try:
            with client.ended(self._connection), limit(seconds):
                yield
        except CallTimeoutError:
            self._connection.close()
            raise module_hung(seconds) from None

    @contextlib.contextmanager
    def _rebooting(
        self, order: Order, request: spec.Request, clock: SystemClock
    ) -> t.Iterator[Reboot]:
        remote = AnsibleRemote(
            self._connection,
            self._low_level_execute_command,
            connect_timeout=request.connect_timeout,
        )
        try:
            yield Reboot(order, remote, remote.prober(), clock, self._log)
        finally:
            remote.restore()

    def _log(self, message: str) -> None:
        display.vvv(f"kexec_reboot: {printable(message)}", host=self._play_context.remote_addr)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import contextlib
import secrets
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.alpinefleet.kexec.plugins.module_utils._printable import printable
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
            result = self._reboot(arguments, task_vars or {}, clock)
        except RebootError as error:
            result = results.failed(error, self._answer)
        return {**printable(result), "elapsed": round(clock.now() - started, 2)}

    def _reboot(
        self,
        arguments: dict[str, t.Any],
        task_vars: dict[str, t.Any],
        clock: SystemClock,
    ) -> dict[str, t.Any]:
        host = self._task.delegate_to or task_vars["inventory_hostname"]
        spec.check(arguments, host)
        if self._connection.transport == "local":
            raise local_connection(rebooted=None if arguments["wait_for"] else False)
        if arguments["wait_for"] is not None:
            return self._wait(arguments, clock)
        token, started = secrets.token_hex(16), clock.now()
        self._prepare(arguments, task_vars, token)
        seconds = clock.now() - started
        answer = self._answer
        order = orders.order_for(arguments, answer, token=token, host=host, seconds=seconds)
        if self._task.check_mode:
            return results.predicted(order, answer, wait=arguments["wait"])
        with self._rebooting(order, arguments, clock) as reboot:
            if not arguments["wait"]:
                acknowledged = reboot.leave()
                return results.ordered(
                    order, answer, acknowledged=acknowledged, unheard=reboot.unheard
                )
            return results.proven(order, reboot.run(), answer)

    def _wait(self, arguments: dict[str, t.Any], clock: SystemClock) -> dict[str, t.Any]:
        """Wait for a reboot that another task ordered."""
        order, self._answer = orders.taken_over(arguments)
        if self._task.check_mode:
            return results.not_waited(self._answer)
        with self._rebooting(order, arguments, clock) as reboot:
            return {**results.proven(order, reboot.wait(), self._answer), "changed": False}

    def _prepare(
        self,
        arguments: dict[str, t.Any],
        task_vars: dict[str, t.Any],
        token: str,
    ) -> None:
        """Look at the host, and load the image."""
        name, call = orders.module_call(
            arguments, token=token, controller_boot_id=controller.boot_id()
        )
        try:
            with self._bounded(arguments["reboot_timeout"]):
                self._answer = parse(
                    self._execute_module(module_name=name, module_args=call, task_vars=task_vars)
                )
                # The files of the module must be gone before the host is.
                self.cleanup(force=True)
        finally:
            # What was not removed by now would be tried again afterwards, without a bound, and turn
            # the result into "unreachable".
            self._connection._shell.tmpdir = None

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
        self, order: Order, arguments: dict[str, t.Any], clock: SystemClock
    ) -> t.Iterator[Reboot]:
        remote = AnsibleRemote(
            self._connection,
            self._low_level_execute_command,
            connect_timeout=arguments["connect_timeout"],
        )
        try:
            yield Reboot(order, remote, remote.prober(), clock, self._log)
        finally:
            remote.restore()

    def _log(self, message: str) -> None:
        display.vvv(f"kexec_reboot: {message}", host=self._play_context.remote_addr)

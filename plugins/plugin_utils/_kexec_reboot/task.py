# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""One task of kexec_reboot: ask the host, then predict, order, or wait."""

from __future__ import annotations

import contextlib
import secrets
import typing as t
from dataclasses import dataclass, replace

from .._parsing.answer import Answer, parse
from .._reboot import orders, results
from .._reboot.checkup import Checkup
from .._reboot.failure import RebootError, local_connection, module_hung, task_timeout
from .._reboot.health import Health
from .._reboot.ports import Clock
from .._reboot.protocol import Order, Reboot
from .._reboot.spec import Handed, Request
from .._step import EndedError, within_its_time
from .._transport import client, controller
from .._transport.limit import CallTimeoutError, limit
from .._transport.remote import AnsibleRemote, Execute

if t.TYPE_CHECKING:
    from ansible.plugins.connection import ConnectionBase

Result = dict[str, t.Any]

# What a note takes, beside the command itself.
NOTE_CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Ansible:
    """What Ansible lends a task."""

    connection: ConnectionBase
    # Runs a command on the host, and a module with its arguments.
    execute: Execute
    run_module: t.Callable[[str, dict[str, t.Any]], t.Mapping[str, t.Any]]
    # Removes what a module left on the host.
    clean_up: t.Callable[[], None]
    log: t.Callable[[str], None]
    check_mode: bool


class RebootTask:
    """One task for one host."""

    def __init__(self, ansible: Ansible, clock: Clock) -> None:
        self._ansible = ansible
        self._clock = clock
        # What the host said, as far as the task came.
        self.answer = Answer()
        # What it has ordered, or another task has that it waits for.
        self._ordered: Order | None = None

    def run(
        self, request: Request, before_order: t.Callable[[Order], None] = lambda _order: None
    ) -> Result:
        """The result, or RebootError.

        Somebody may want to know the order right before it is given, and prevent it.
        """
        if self._ansible.connection.transport == "local":
            raise local_connection(rebooted=None if request.wait_for else False)
        with self._ended_in_words():
            return self._run(request, before_order)

    @contextlib.contextmanager
    def _ended_in_words(self) -> t.Iterator[None]:
        """What Ansible ends by a timeout says what was ordered by then."""
        try:
            with within_its_time():
                yield
        except EndedError as error:
            raise self._ended(error.said) from None

    def _ended(self, said: str) -> RebootError:
        if self._ordered is None:
            return task_timeout(said, ordered=False)
        handed = orders.hand_over(self._ordered, self.answer, acknowledged=False)
        return task_timeout(said, ordered=True, order=handed)

    def _run(self, request: Request, before_order: t.Callable[[Order], None]) -> Result:
        if request.wait_for is not None:
            return self._wait(request, request.wait_for)
        token, started = secrets.token_hex(16), self._clock.now()
        self._ask(request, token)
        seconds = self._clock.now() - started
        order = orders.order_for(request, self.answer, token=token, seconds=seconds)
        if self._ansible.check_mode:
            return results.predicted(order, self.answer, wait=request.wait)
        return self._reboot(request, order, before_order)

    def take(self, run: str) -> str:
        """Have a run of the role go on with what the host remembers, and say what that is."""
        return self._remote().take(run)

    def keep(self, run: str, note: str, *, known: bool) -> None:
        """Have the host remember a note of a run, which it may know already."""
        self._remote().keep(run, note, known=known)

    def tell(self) -> str:
        """What the host remembers."""
        return self._remote().tell()

    def _wait(self, request: Request, handed: Handed) -> Result:
        """Wait for a reboot that another task ordered."""
        order = self._taken_over(request, handed)
        if self._ansible.check_mode:
            return results.not_waited(self.answer)
        with self._rebooting(request, order) as reboot:
            return {**results.proven(order, reboot.wait(), self.answer), "changed": False}

    def wait_and_look(
        self, request: Request, handed: Handed, within: float
    ) -> tuple[Result, list[str]]:
        """Wait for a reboot that another task ordered, and look once whether the host is well."""
        wanted, order = request.health, self._taken_over(request, handed)
        waited = self._rebooting(request, replace(order, health=None))
        with self._ended_in_words(), waited as reboot:
            proof = reboot.wait(within)
            boot_id = proof.observation.boot_id
            findings = [] if wanted is None else reboot.checkup(wanted).look(boot_id, 0.0)
            return results.proven(order, proof, self.answer), findings

    def _taken_over(self, request: Request, handed: Handed) -> Order:
        order, self.answer = orders.taken_over(request, handed)
        self._ordered = order
        return order

    def look(
        self, wanted: Health, before: t.Sequence[str], boot_id: str, seconds: float
    ) -> list[str]:
        """What is wrong with a host, given the services that ran before."""
        log = self._ansible.log
        return Checkup(wanted, before, self._remote(), self._clock, log).look(boot_id, seconds)

    def _reboot(
        self, request: Request, order: Order, before_order: t.Callable[[Order], None]
    ) -> Result:
        with self._rebooting(request, order) as reboot:
            ready = reboot.prepare()
            before_order(ready)
            self._ordered = ready
            if request.wait:
                return results.proven(order, reboot.run(), self.answer)
            acknowledged = reboot.leave()
            return results.ordered(
                reboot.order, self.answer, acknowledged=acknowledged, unheard=reboot.unheard
            )

    def _ask(self, request: Request, token: str) -> None:
        """Look at the host, and load the image."""
        name, arguments = orders.module_call(
            request, token=token, controller_boot_id=controller.boot_id()
        )
        try:
            with self._bounded(request.reboot_timeout):
                self.answer = parse(self._ansible.run_module(name, arguments))
                # The files of the module must be gone before the host is.
                self._ansible.clean_up()
        finally:
            # What was not removed by now would be tried again afterwards, without a bound, and turn
            # the result into "unreachable".
            self._ansible.connection._shell.tmpdir = None

    @contextlib.contextmanager
    def _bounded(self, seconds: float) -> t.Iterator[None]:
        """A host that vanishes meanwhile, or a command on it that hangs, is not waited for."""
        try:
            with client.Ended(self._ansible.connection), limit(seconds):
                yield
        except CallTimeoutError:
            self._ansible.connection.close()
            raise module_hung(seconds) from None

    @contextlib.contextmanager
    def _rebooting(self, request: Request, order: Order) -> t.Iterator[Reboot]:
        """The reboot over the connection of the task, which is given back as it was."""
        remote = self._remote(request.connect_timeout)
        try:
            yield Reboot(order, remote, remote.prober(), self._clock, self._ansible.log)
        finally:
            remote.restore()

    def _remote(self, connect_timeout: float = NOTE_CONNECT_SECONDS) -> AnsibleRemote:
        """The host over the connection of the task; the controller itself is left alone."""
        ansible = self._ansible
        if ansible.connection.transport == "local":
            # Nothing was ordered by this task; what another one ordered is not known here.
            raise local_connection(rebooted=None)
        return AnsibleRemote(
            ansible.connection, ansible.execute, ansible.log, connect_timeout=connect_timeout
        )

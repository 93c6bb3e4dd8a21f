# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of a run that reach the host: each asks it, and lets the flow decide."""

from __future__ import annotations

import math
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._kexec_reboot.task import RebootTask, Result
from .._parsing.values import parse
from .._reboot import orders, results, spec
from .._reboot.checkup import ANY_BOOT
from .._reboot.failure import RebootError
from .._reboot.health import Health
from .._reboot.ports import Clock, NoAnswerError, OtherRunError
from .._reboot.protocol import Order
from .._reboot.spec import Handed, Request
from .._step import StepError
from . import flow, memory, takeover
from .flow import Run
from .memory import Memory, Progress
from .result import Attempt

# A host that is waited for keeps others from their turn no longer than this, if they are many, and
# no shorter than a login takes.
SHORTEST_TURN = 10.0

# What is left for the other half of a turn's work: the proof, and the next host.
SHARE_OF_CONFIRMATION = 0.5


def turn(timeout: float, since: float, confirm: float, hosts: int, forks: int) -> float:
    """Seconds for which one host is waited for before it is another one's turn; SINCE its order.

    With more hosts than forks, one that is lost must not hold up others that have come back: those
    go back to firmware if they are not told in time that they work. After that time nobody is kept.
    """
    if timeout <= 0:
        # Others had its time. It may have been back for long.
        return SHORTEST_TURN
    turns = math.ceil(max(1, hosts) / max(1, forks))
    seconds = max(SHORTEST_TURN, SHARE_OF_CONFIRMATION * confirm / turns)
    # A turn that would be left over is too short to learn anything.
    is_last = turns <= 1 or since >= confirm or timeout - seconds < SHORTEST_TURN
    return timeout if is_last else seconds


# Why a host does not remember a run.
NotKept = NoAnswerError | OtherRunError | RebootError


class CannotTellError(Exception):
    """A host that answers, and does not say what it remembers."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


class Steps:
    """What is done with one host."""

    def __init__(
        self,
        host: str,
        make_task: t.Callable[[bool], RebootTask],
        clock: Clock,
        *,
        check_mode: bool,
    ) -> None:
        self._host = host
        self._make_task = make_task
        self._clock = clock
        self._check_mode = check_mode

    def begin(self, run: Run) -> Run:
        """Take the host over from whatever run was there before, and go on with what it left.

        A host that nobody has left anything on is not written to before it is known to be fit.
        """
        said = self._asked(
            lambda task: task.tell() if self._check_mode else task.take(run.id),
        )
        taken = replace(run, known=bool(said.strip()))
        # In check mode what was ordered counts as over, and so does what was before another boot of the run.
        waits, now = not (self._check_mode or run.follows), self._clock.now()
        return takeover.take_over(taken, memory.parse(said), self._host, now=now, waits=waits)

    def recall(self) -> Memory | None:
        """What the host remembers; nothing is changed."""
        return memory.parse(self._asked(lambda task: task.tell()))

    def _asked(self, ask: t.Callable[[RebootTask], str]) -> str:
        """A host that does not answer is unreachable, as for any task; one that cannot tell is not."""
        try:
            return ask(self._make_task(self._check_mode))
        except RebootError as error:
            raise CannotTellError(error.reason) from error
        except NoAnswerError as silence:
            if silence.kind == "garbled":
                raise CannotTellError(flow.not_remembered(silence.text)) from silence
            raise AnsibleConnectionFailure(silence.text) from silence

    def remember(self, run: Run, progress: Progress | None) -> Run:
        """Have the host remember how far the run is, before it goes any further."""
        error = self._keep(run, progress)
        return replace(run, known=True) if error is None else _not_kept(run, error)

    def still_mine(self, run: Run, progress: Progress) -> Run:
        """See that no other run has taken the host over, before something is done for it.

        Where it does not answer it is known what is to be done, and the next run would do it once more.
        """
        error = self._keep(run, progress)
        if isinstance(error, NoAnswerError):
            return run
        return replace(run, known=True) if error is None else _not_kept(run, error)

    def close(self, run: Run) -> Run:
        """Have the host remember what is left to do, or forget the run."""
        error = self._keep(run, takeover.progress_of(run))
        if isinstance(error, NoAnswerError):
            return flow.not_forgotten(run, error.text)
        # Whoever took it over knows better. What this run failed by stays its reason.
        return run if error is None or run.failed else _not_kept(run, error)

    def _keep(self, run: Run, progress: Progress | None) -> NotKept | None:
        """Why the host could not be told, None if it was, or in check mode."""
        if self._check_mode:
            return None
        try:
            _tell(self._make_task(False), run, progress)
        except (NoAnswerError, OtherRunError, RebootError) as error:
            return error
        return None

    def foresee(self, run: Run) -> Run:
        """See that the reboot would not be refused, before anything is drained."""
        attempt = self._attempt(run, self._make_task(True), wait=False)
        return flow.after_order(run, attempt, now=0.0) if attempt.failed else run

    def leave(self, run: Run) -> Run:
        task, known = self._make_task(self._check_mode), run.known

        def remember(order: Order) -> None:
            """The next run waits for this order, if nobody is left to do so."""
            nonlocal known
            handed = orders.hand_over(order, task.answer, acknowledged=False)
            _tell(task, replace(run, order=Handed(**handed)), "down")
            known = True

        try:
            attempt = self._attempt(run, task, remember, wait=False)
        except (NoAnswerError, OtherRunError) as error:
            return _not_kept(run.told(stage="trigger"), error)
        return flow.after_order(replace(run, known=known), attempt, now=self._clock.now())

    def wait(self, run: Run, *, hosts: int, forks: int) -> Run:
        """One turn of the wait for a host."""
        wanted = self._request(run)
        deadline = run.ordered_at + wanted.reboot_timeout
        left, since = deadline - self._clock.now(), self._clock.now() - run.ordered_at
        seconds = turn(left, since, wanted.confirm_timeout, hosts, forks)
        attempt, findings = self._waited(run, _ordered(run), seconds)
        return flow.after_wait(
            run,
            attempt,
            findings,
            now=self._clock.now(),
            left=deadline - self._clock.now(),
            stable=self._is_to_stay(run),
        )

    def wait_after_reset(self, run: Run) -> Run:
        # Firmware is what a reset leads to, whatever was asked for before.
        seconds = run.plan.power_cycle.timeout
        order = replace(_ordered(run), fallback="firmware")
        attempt, findings = self._waited(run, order, seconds, reboot_timeout=seconds)
        return flow.after_power_cycle(
            run, attempt, findings, now=self._clock.now(), stable=self._is_to_stay(run)
        )

    def look(self, run: Run) -> Run:
        """Look until the host is well, or its time is over."""
        health = self._request(run).health
        if self._check_mode or health is None:
            return flow.after_look(run, (), stable=False)
        since = self._clock.now() - run.proven_at if run.proven_at else 0.0
        if run.looked_again:
            if since < health.stable_seconds:
                self._clock.sleep(health.stable_seconds - since)
            seconds = health.timeout
        else:
            seconds = max(0.0, health.timeout - since)
        before = (run.order.services if run.order else None) or ()
        boot_id = run.result.boot_id.after or ANY_BOOT
        findings = self._make_task(False).look(health, before, boot_id, seconds)
        return flow.after_look(run, findings, stable=self._is_to_stay(run))

    def end_file(self, run: Run) -> Run:
        return flow.after_file(run, stable=self._is_to_stay(run))

    def _attempt(
        self,
        run: Run,
        task: RebootTask,
        before_order: t.Callable[[Order], None] = lambda _order: None,
        **arguments: t.Any,
    ) -> Attempt:
        started = self._clock.now()
        try:
            result = task.run(self._request(run, **arguments), before_order)
        except RebootError as error:
            result = results.failed(error, task.answer)
        return self._since(started, result)

    def _waited(
        self, run: Run, order: Handed, seconds: float, **arguments: t.Any
    ) -> tuple[Attempt, list[str]]:
        task, started = self._make_task(False), self._clock.now()
        findings: list[str] = []
        try:
            request = self._request(run, wait_for=takeover.plain(order), **arguments)
            result, findings = task.wait_and_look(request, order, seconds)
        except RebootError as error:
            result = results.failed(error, task.answer)
        return self._since(started, result), findings

    def _since(self, started: float, result: Result) -> Attempt:
        """What a task came to, and how long it took; from here on it is a value."""
        return parse(Attempt, {**result, "elapsed": round(self._clock.now() - started, 2)})

    def _request(self, run: Run, **arguments: t.Any) -> Request:
        request = spec.parse({**run.plan.arguments, **arguments}, self._host)
        return replace(request, health=_with_services_of_before(run, request.health))

    def _is_to_stay(self, run: Run) -> bool:
        """Whether a host that is well must be so once more."""
        health = self._request(run).health
        return health is not None and health.stable_seconds > 0


def _ordered(run: Run) -> Handed:
    if run.order is None:
        raise StepError("There is no order that could be waited for.", "Run the role once more.")
    return run.order


def _tell(task: RebootTask, run: Run, progress: Progress | None) -> None:
    note = "" if progress is None else takeover.left_by(run, progress).as_text()
    # To have nothing remembered a run need not be known.
    task.keep(run.id, note, known=run.known or not note)


def _not_kept(run: Run, error: NotKept) -> Run:
    """A run that the host does not remember goes no further."""
    if isinstance(error, OtherRunError):
        # The other run may reboot the host, and needs it drained.
        told = run.told(rebooted=None) if run.untouched else run
        return flow.fail(told, flow.overtaken())
    if isinstance(error, RebootError):
        return flow.fail(run, error.reason)
    return flow.fail(run, flow.not_remembered(error.text))


def _with_services_of_before(run: Run, health: Health | None) -> Health | None:
    """What must run, with what ran before an earlier run's reboot and has not been seen since."""
    if health is None or run.before is None or not health.services:
        return health
    required = dict.fromkeys((*health.required_services, *run.before.required))
    return replace(health, required_services=tuple(required))

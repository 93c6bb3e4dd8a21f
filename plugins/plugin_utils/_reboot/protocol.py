# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The reboot itself: leave, wait, prove. It decides over ports and one deadline."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome

from . import failure, health
from .checkup import Checkup
from .health import Health
from .observation import Fallback, Method, Observation, OtherHostKey
from .ports import Clock, Departure, NoAnswerError, OtherBootError, Prober, Remote

# The connection that brings the order must be closed before the host vanishes.
START_DELAY = 0.5

# What leave.sh notes when it does not begin: the image is not the one that was ordered to be
# booted, somebody else shuts the host down, or the order came too late.
REPLACED, YIELDED, EXPIRED = "replaced", "yielded", "expired"
NOT_BEGUN = (REPLACED, YIELDED, EXPIRED)

# Logins against a system that still runs, from often to seldom.
FIRST_GAP = 0.3
LAST_GAP = 1.0
PROBE_GAP = 0.1
# After a sign of life only logins show more; asking faster would be counted as an attack.
FIRST_LOGIN_GAP = 0.5
LAST_LOGIN_GAP = 3.0
# A probe may be blind where a login is not: another route, a wrapper, a filter.
BLIND_SECONDS = 15.0
TEST_GAP = 1.0
# What a host gets to answer once more after the delay that a user wished for.
SEE_AGAIN_SECONDS = 30.0

# What the host gets to tell which services run, before it is left.
SERVICES_SECONDS = 15.0

# A host that comes up may refuse logins before all its services run.
REFUSAL_PATIENCE = 30.0
# An answer that is older says nothing of what a host does now.
RECENT_SECONDS = 10.0


@dataclass(frozen=True)
class Order:
    """What is to happen to which boot, and what must be found afterwards."""

    method: Method
    token: str
    boot_id: str
    release: str | None
    fallback: Fallback
    firmware_release: str | None
    # Whose it is: the name by which the controller knows the host, the machine's own number, and
    # the uptime of that boot at which an order that has not begun is void.
    host: str
    hardware_id: str | None
    expires: int
    # By which the host tells whose shutdown it is. The token is that of the image, which may have
    # been loaded for earlier orders, too.
    mark: str
    pre_reboot_delay: float = 0.0
    post_reboot_delay: float = 0.0
    reboot_timeout: float = 600.0
    shutdown_timeout: float = 120.0
    test_command: str = "whoami"
    # An ssh server in the initramfs has a host key of its own, and answers before the host does.
    other_host_key: OtherHostKey = "fail"
    watchdog: str = ""
    watchdog_limit: int = 0
    # Whether the running kernel looks as if a kexec had started it although firmware did.
    loader_ends_in_kexec: bool = False
    # Whether the host said that it took the order; only another task's order may be unclear.
    acknowledged: bool = False
    # What must be well once the host is back, and which services ran before; None where nobody asks.
    health: Health | None = None
    services: tuple[str, ...] | None = None


def _departure(order: Order) -> Departure:
    return Departure(
        order.method,
        order.token,
        order.boot_id,
        order.pre_reboot_delay + START_DELAY,
        order.shutdown_timeout,
        order.expires,
        order.mark,
        order.release or "-",
        order.watchdog,
        order.watchdog_limit,
    )


@dataclass(frozen=True)
class Proof:
    """What came up, and when; the downtime is None where its begin was not seen."""

    observation: Observation
    method: Method
    downtime: float | None
    timings: t.Mapping[str, float]


@dataclass
class _Watch:
    """What was seen since the order was given."""

    started: float
    deadline: float
    last_alive: float
    seen_alive: bool
    gap: float = FIRST_GAP
    login_gap: float = FIRST_LOGIN_GAP
    still_runs: bool = True
    seen_down: float | None = None
    refused_since: float = 0.0
    refusal: NoAnswerError | None = None
    started_leaving: bool = False
    sign_seen: bool = False
    # Whether another boot than the proven one was found after the delay.
    seen_again: bool = False
    last_error: str = ""


class Reboot:
    """One reboot of one host."""

    def __init__(
        self,
        order: Order,
        remote: Remote,
        prober: Prober | None,
        clock: Clock,
        log: t.Callable[[str], None],
    ) -> None:
        self.order = order
        self._remote = remote
        self._prober = prober
        self._clock = clock
        self._log = log
        self._acknowledged = order.acknowledged
        # What the host said instead of its acknowledgement.
        self.unheard: Outcome | None = None

    def prepare(self) -> Order:
        """What must be known before the order is given, and the order with it."""
        if self.order.services is not None:
            self.order = replace(self.order, services=self._list_services())
        return self.order

    def run(self) -> Proof:
        """Leave the running system and prove which one came up."""
        started = self._clock.now()
        self.leave()
        left = self._clock.now()
        watch = _Watch(left, started + self.order.reboot_timeout, left, seen_alive=True)
        return self._prove(watch, {"trigger": left - started})

    def leave(self) -> bool:
        """Give the order; False if the host may not have taken it."""
        self._acknowledged = self._give_order()
        self._remote.shorten()
        return self._acknowledged

    def _list_services(self) -> tuple[str, ...]:
        """What runs; where that cannot be told, nobody could tell either what is missing later."""
        try:
            found = self._remote.examine(
                health.WHICH_SERVICES, self.order.boot_id, SERVICES_SECONDS
            )
        except OtherBootError:
            raise failure.services_unknown("the host runs another boot by now") from None
        except NoAnswerError as silence:
            raise failure.services_unknown(silence.text) from None
        if found.rc_status != 0:
            raise failure.services_unknown(f"rc-status ended with {found.rc_status}")
        return tuple(sorted(found.started))

    def _give_order(self) -> bool:
        order = self.order
        self._log(f"leaving by {order.method}")
        try:
            completed = self._remote.leave(_departure(order))
        except NoAnswerError as silence:
            # The order may have arrived: only the host can tell, so ask it.
            self._log(f"the connection was lost while the order was given: {silence.text}")
            return False
        # The exit status is that of the whole connection, which may end while the order stands.
        if order.mark in completed.stdout.split():
            return True
        said = f"{completed.stdout}{completed.stderr}".strip()
        self._log(f"the order was not acknowledged (exit status {completed.rc}): {said}")
        self.unheard = completed
        return False

    def wait(self, within: float | None = None) -> Proof:
        """Prove which system came up after an order that was given before.

        It has the whole time of the order, or what is left of it.
        """
        self._remote.shorten()
        now = self._clock.now()
        deadline = now + (self.order.reboot_timeout if within is None else within)
        return self._prove(_Watch(now, deadline, now, seen_alive=False), {})

    def checkup(self, wanted: Health) -> Checkup:
        """Looks at what came up, by what ran before."""
        before = self.order.services or ()
        return Checkup(wanted, before, self._remote, self._clock, self._log)

    def _prove(self, watch: _Watch, timings: t.Mapping[str, float]) -> Proof:
        while True:
            observation = self._wait(watch)
            answered = self._clock.now()
            try:
                method = self._accept(watch, observation)
            except OtherBootError:
                # What answered has crashed, or was reset: it is the next one that has to be proven.
                self._log(f"the boot {observation.boot_id} ended while it was proven")
                continue
            return self._proof(watch, observation, method, answered, timings)

    def _accept(self, watch: _Watch, observation: Observation) -> Method:
        """Judge the boot, use it, and see that it still runs at the end."""
        method = self._judge(observation)
        self._test(watch, observation, method)
        if method == "kexec":
            self._confirm(watch, observation)
        if self.order.post_reboot_delay:
            self._clock.sleep(self.order.post_reboot_delay)
            self._see_again(watch, observation, method)
        if self.order.health is not None:
            self._see_health(self.order.health, watch, observation, method)
        return method

    def _see_again(self, watch: _Watch, observation: Observation, method: Method) -> None:
        """The delay is beyond the deadline; a host that has gone by then is none that came back."""
        after = replace(watch, deadline=self._clock.now() + SEE_AGAIN_SECONDS)
        again = self._ask(after)
        while again is None and self._left(after) > 0:
            self._clock.sleep(TEST_GAP)
            again = self._ask(after)
        if again is not None and again.boot_id == observation.boot_id:
            return
        if again is None:
            raise failure.did_not_stay(self.order.post_reboot_delay, method, observation)
        self._prove_once_more(self.order.post_reboot_delay, watch, observation, method)

    def _prove_once_more(
        self, seconds: float, watch: _Watch, observation: Observation, method: Method
    ) -> t.NoReturn:
        """The host booted once more after it was proven; again and again is no way to stay."""
        if watch.seen_again:
            raise failure.did_not_stay(seconds, method, observation)
        watch.seen_again = True
        watch.deadline = max(watch.deadline, self._clock.now() + SEE_AGAIN_SECONDS)
        raise OtherBootError

    def _see_health(
        self, wanted: Health, watch: _Watch, observation: Observation, method: Method
    ) -> None:
        """See that the host is well in time, and that it stays so."""
        started, checkup = self._clock.now(), self.checkup(wanted)
        try:
            findings = checkup.until(observation.boot_id, wanted.timeout)
            if wanted.stable_seconds and not findings:
                self._clock.sleep(max(0.0, started + wanted.stable_seconds - self._clock.now()))
                findings = checkup.until(observation.boot_id, wanted.timeout)
        except OtherBootError:
            seconds = self._clock.now() - started
            self._prove_once_more(seconds, watch, observation, method)
        if findings:
            raise failure.unhealthy(findings, wanted.timeout, method, observation)

    def _proof(
        self,
        watch: _Watch,
        observation: Observation,
        method: Method,
        answered: float,
        timings: t.Mapping[str, float],
    ) -> Proof:
        down = watch.seen_down if watch.seen_down is not None else watch.last_alive
        return Proof(
            observation,
            method,
            answered - watch.last_alive if watch.seen_alive else None,
            {
                **timings,
                "shutdown": down - watch.started,
                "down": answered - down,
                "verify": self._clock.now() - answered,
            },
        )

    def _wait(self, watch: _Watch) -> Observation:
        """Ask until a new boot answers; the deadline ends it."""
        while self._left(watch) > 0:
            observation = self._ask(watch)
            if observation is not None and observation.boot_id != self.order.boot_id:
                self._check_machine(observation)
                return observation
            if observation is not None:
                self._still_running(observation, watch)
            self._pause(watch)
        raise self._too_late(watch)

    def _check_machine(self, observation: Observation) -> None:
        """A name may lead to another machine, whose boot proves nothing of this one."""
        if observation.is_other_machine(self.order.hardware_id):
            raise failure.other_host(self.order.host, observation)

    def _left(self, watch: _Watch) -> float:
        return watch.deadline - self._clock.now()

    def _ask(self, watch: _Watch) -> Observation | None:
        """One login; None if the host did not answer."""
        try:
            observation = self._remote.observe(self._left(watch))
        except NoAnswerError as silence:
            self._note_silence(silence, watch)
            return None
        watch.refusal = None
        return observation

    def _note_silence(self, silence: NoAnswerError, watch: _Watch) -> None:
        self._log(f"no answer ({silence.kind}): {silence.text}")
        if self._left(watch) <= 0 and (watch.still_runs or watch.refusal is not None):
            # The deadline cut the question off: that says nothing about the host.
            return
        watch.still_runs = False
        if silence.kind in failure.REFUSALS:
            watch.last_error = silence.text
            self._note_refusal(silence, watch)
        elif (
            silence.kind == "dropped" and watch.refusal is not None and watch.seen_down is not None
        ):
            # A server that refused too many logins turns their source away for a while.
            return
        else:
            watch.last_error = silence.text
            watch.refusal = None
            self._note_down(silence, watch)

    def _note_down(self, silence: NoAnswerError, watch: _Watch) -> None:
        if silence.kind in ("silent", "dropped") and watch.seen_down is None:
            watch.seen_down = self._clock.now()

    def _note_refusal(self, silence: NoAnswerError, watch: _Watch) -> None:
        """Something answers and lets nobody in: for a moment, or for good."""
        expected = silence.kind == "host_key" and self.order.other_host_key == "wait"
        if silence.kind == "host_key" and not expected:
            # Nothing that is waited for changes a key back, and a login would not be safe.
            raise failure.refused(silence)
        now = self._clock.now()
        if watch.refusal is None or watch.refusal.kind != silence.kind:
            watch.refused_since = now
        watch.refusal = silence
        if expected:
            # Somebody else's turn: until a passphrase is typed there, nobody logs in to the host.
            return
        # The system that still runs may refuse logins while it goes down.
        if watch.seen_down is not None and now - watch.refused_since > REFUSAL_PATIENCE:
            raise failure.refused(silence)

    def _still_running(self, observation: Observation, watch: _Watch) -> None:
        """The old system answers: it is on its way down, or the order got lost."""
        watch.last_alive = self._clock.now()
        watch.seen_alive = True
        watch.seen_down = None
        watch.sign_seen = False
        watch.still_runs = True
        watch.last_error = f"the host still runs; its shutdown is at {observation.stage or 'none'}"
        ours = observation.leaver == self.order.mark
        if ours:
            self._check_begun(observation.stage)
        watch.started_leaving = watch.started_leaving or ours
        # The host's own clock decides on both sides: what it has not begun by then it never will.
        if not watch.started_leaving and observation.uptime >= self.order.expires:
            raise self._never_began(observation)

    def _check_begun(self, stage: str) -> None:
        """The order came to the host, which may have had its reasons not to begin."""
        if stage == REPLACED:
            raise failure.image_replaced()
        if stage == YIELDED:
            raise failure.already_leaving()
        if stage == EXPIRED:
            raise failure.too_late()

    def _never_began(self, observation: Observation) -> failure.RebootError:
        if observation.leaver and observation.stage not in NOT_BEGUN:
            return failure.already_leaving()
        if self.unheard is not None:
            return failure.trigger_failed(self.unheard)
        return failure.trigger_lost(acknowledged=self._acknowledged)

    def _pause(self, watch: _Watch) -> None:
        """Wait for the next login: for a sign of life where one can be had."""
        if watch.seen_down is None:
            self._clock.sleep(watch.gap)
            watch.gap = min(watch.gap * 1.3, LAST_GAP)
        elif self._prober is None or watch.sign_seen:
            self._clock.sleep(watch.login_gap)
            watch.login_gap = min(watch.login_gap * 1.3, LAST_LOGIN_GAP)
        else:
            self._await_sign(self._prober, watch)

    def _await_sign(self, prober: Prober, watch: _Watch) -> None:
        """Probe until the host speaks, and no longer than a probe can be trusted."""
        until = min(watch.deadline, self._clock.now() + BLIND_SECONDS)
        while self._clock.now() < until:
            self._clock.sleep(PROBE_GAP)
            if prober.answers():
                watch.sign_seen = True
                return

    def _judge(self, observation: Observation) -> Method:
        """Which way the host came up, and whether that is what was ordered."""
        order = self.order
        method = observation.method(order.token, loader_ends_in_kexec=order.loader_ends_in_kexec)
        fell_back = method == "firmware" and order.fallback == "firmware"
        if method is None or (method != order.method and not fell_back):
            raise failure.wrong_method(order.method, method, observation)
        expected = order.release if method == "kexec" else order.firmware_release
        if expected is not None and observation.release != expected:
            raise failure.wrong_kernel(expected, method, observation)
        return method

    def _test(self, watch: _Watch, observation: Observation, method: Method) -> None:
        """The host is of use again when the test command succeeds."""
        command = self.order.test_command
        succeeded, completed = self._repeat(
            watch,
            lambda within: self._remote.test(command, observation.boot_id, within),
            lambda completed: completed.rc == 0,
            what="the test command",
        )
        if not succeeded:
            raise failure.test_failed(command, completed, method, observation)

    def _confirm(self, watch: _Watch, observation: Observation) -> None:
        """Tell the new system that it works, or it may take itself back to firmware."""
        token = self.order.token
        heard, completed = self._repeat(
            watch,
            lambda within: self._remote.confirm(token, observation.boot_id, within),
            lambda completed: token in completed.stdout.split(),
            what="the confirmation",
        )
        if not heard:
            raise failure.not_confirmed(completed, observation)

    def _repeat(
        self,
        watch: _Watch,
        call: t.Callable[[float], Outcome],
        good: t.Callable[[Outcome], bool],
        *,
        what: str,
    ) -> tuple[bool, Outcome | None]:
        """Call until the outcome is good or the deadline near; the last one is None if unheard."""
        while True:
            completed = self._try(watch, call, what)
            if completed is not None and good(completed):
                return True, completed
            if self._left(watch) <= TEST_GAP:
                return False, completed
            self._clock.sleep(TEST_GAP)

    def _try(self, watch: _Watch, call: t.Callable[[float], Outcome], what: str) -> Outcome | None:
        try:
            return call(max(0.0, self._left(watch)))
        except NoAnswerError as silence:
            self._log(f"{what} got no answer: {silence.text}")
            return None

    def _too_late(self, watch: _Watch) -> failure.RebootError:
        seconds = self.order.reboot_timeout
        if watch.refusal is not None:
            return failure.refused(watch.refusal)
        if not watch.last_error:
            return failure.did_not_return(
                seconds, "nothing, no question came to an end", gone=False
            )
        if watch.still_runs and self._clock.now() - watch.last_alive < RECENT_SECONDS:
            return failure.did_not_go_down(seconds, watch.last_error)
        return failure.did_not_return(seconds, watch.last_error, gone=watch.seen_down is not None)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The reboot itself: leave, wait, prove. It decides over ports and one deadline."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._failure import RebootError, Stage
from ._observation import Method, Observation
from ._ports import Clock, Completed, NoAnswer, Prober, Remote

# The connection that brings the order must be closed before the host vanishes.
START_DELAY = 0.5
# A detached shell that was started writes its first mark at once.
START_PATIENCE = 10.0

# Logins against a system that still runs, from often to seldom.
FIRST_GAP = 0.3
LAST_GAP = 1.0
PROBE_GAP = 0.1
# After a sign of life a login may still fail; asking faster would be counted as an attack.
LOGIN_GAP = 0.5
TEST_GAP = 1.0

# A login is refused for a moment while a system goes down or comes up.
REFUSALS = 5


@dataclass(frozen=True)
class Order:
    """What is to happen to which boot, and what must be found afterwards."""

    method: Method
    token: str
    boot_id: str
    release: str | None
    fallback: t.Literal["firmware", "fail"]
    firmware_release: str | None
    pre_reboot_delay: float = 0.0
    post_reboot_delay: float = 0.0
    reboot_timeout: float = 600.0
    shutdown_timeout: float = 120.0
    test_command: str = "whoami"


@dataclass(frozen=True)
class Proof:
    """What came up, and when."""

    observation: Observation
    method: Method
    downtime: float
    timings: t.Mapping[str, float]


@dataclass
class _Watch:
    """What was seen since the order was given."""

    started: float
    deadline: float
    last_alive: float
    seen_down: float | None = None
    stage: Stage = "shutdown"
    started_leaving: bool = False
    sign_seen: bool = False
    refusals: int = 0
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
        self._order = order
        self._remote = remote
        self._prober = prober
        self._clock = clock
        self._log = log

    def run(self) -> Proof:
        """Leave the running system and prove which one came up."""
        started = self._clock.now()
        self._leave()
        left = self._clock.now()
        watch = _Watch(left, started + self._order.reboot_timeout, left)
        self._remote.shorten()
        observation = self._wait(watch)
        answered = self._clock.now()
        method = self._judge(observation, watch)
        self._test(watch)
        if self._order.post_reboot_delay:
            self._clock.sleep(self._order.post_reboot_delay)
        down = watch.seen_down if watch.seen_down is not None else watch.last_alive
        timings = {
            "trigger": left - started,
            "shutdown": down - left,
            "down": answered - down,
            "verify": self._clock.now() - answered,
        }
        return Proof(observation, method, answered - watch.last_alive, timings)

    def _leave(self) -> None:
        order = self._order
        self._log(f"leaving by {order.method}")
        try:
            completed = self._remote.leave(
                order.method,
                delay=order.pre_reboot_delay + START_DELAY,
                limit=order.shutdown_timeout,
                token=order.token,
            )
        except NoAnswer as silence:
            # The order may have arrived: only the host can tell, so ask it.
            self._log(f"the connection was lost while the order was given: {silence.text}")
            return
        if completed.rc != 0 or not completed.stdout.strip().endswith(order.token):
            raise RebootError(
                "trigger_failed",
                f"The host did not accept the order to leave (exit status {completed.rc}).",
                "See stderr; the host was not rebooted.",
                stage="trigger",
                rebooted=False,
                **_output(completed),
            )

    def _wait(self, watch: _Watch) -> Observation:
        """Ask until a new boot answers; the deadline ends it."""
        gap = FIRST_GAP
        while True:
            if self._clock.now() >= watch.deadline:
                raise self._too_late(watch)
            observation = self._ask(watch)
            if observation is not None and observation.boot_id != self._order.boot_id:
                return observation
            if observation is not None:
                self._still_running(observation, watch)
            self._pause(watch, gap)
            gap = min(gap * 1.3, LAST_GAP)

    def _ask(self, watch: _Watch) -> Observation | None:
        """One login; None if the host did not answer."""
        try:
            observation = self._remote.observe()
        except NoAnswer as silence:
            self._note_silence(silence, watch)
            return None
        watch.refusals = 0
        return observation

    def _note_silence(self, silence: NoAnswer, watch: _Watch) -> None:
        watch.last_error = silence.text
        self._log(f"no answer ({silence.kind}): {silence.text}")
        if silence.kind == "host_key":
            raise _host_key_changed(watch)
        if silence.kind == "authentication":
            watch.refusals += 1
            if watch.seen_down is not None and watch.refusals >= REFUSALS:
                raise _authentication_refused(watch)
        if silence.kind == "silent" and watch.seen_down is None:
            watch.seen_down = self._clock.now()
            watch.stage = "down"

    def _still_running(self, observation: Observation, watch: _Watch) -> None:
        """The old system answers: it is on its way down, or the order got lost."""
        watch.last_alive = self._clock.now()
        watch.seen_down = None
        watch.stage = "shutdown"
        watch.last_error = f"the host still runs; its shutdown is at {observation.stage or 'none'}"
        if observation.leaver and observation.leaver != self._order.token:
            raise _already_leaving()
        watch.started_leaving = watch.started_leaving or bool(observation.leaver)
        patience = START_PATIENCE + self._order.pre_reboot_delay
        if not watch.started_leaving and watch.last_alive - watch.started > patience:
            raise _trigger_lost()

    def _pause(self, watch: _Watch, gap: float) -> None:
        """Wait for the next login: for a sign of life where one can be had."""
        if watch.seen_down is None:
            self._clock.sleep(gap)
        elif self._prober is None:
            self._clock.sleep(LOGIN_GAP)
        else:
            self._await_sign(self._prober, watch)

    def _await_sign(self, prober: Prober, watch: _Watch) -> None:
        """Probe until the host speaks; a login that failed after a sign is not repeated at once."""
        self._clock.sleep(LOGIN_GAP if watch.sign_seen else PROBE_GAP)
        while self._clock.now() < watch.deadline:
            if prober.answers():
                watch.sign_seen = True
                return
            self._clock.sleep(PROBE_GAP)

    def _judge(self, observation: Observation, watch: _Watch) -> Method:
        """Which way the host came up, and whether that is what was ordered."""
        order = self._order
        watch.stage = "verify"
        method = observation.method(order.token)
        wanted = order.method
        if method is None or (method != wanted and (wanted == "firmware" or order.fallback == "fail")):
            raise _wrong_method(wanted, method, observation)
        expected = order.release if method == "kexec" else order.firmware_release
        if expected is not None and observation.release != expected:
            raise _wrong_kernel(expected, observation)
        return method

    def _test(self, watch: _Watch) -> None:
        """The host is of use again when the test command succeeds."""
        watch.stage = "test_command"
        while True:
            completed = self._try_test()
            if completed is not None and completed.rc == 0:
                return
            if self._clock.now() + TEST_GAP >= watch.deadline:
                raise _test_failed(self._order.test_command, completed)
            self._clock.sleep(TEST_GAP)

    def _try_test(self) -> Completed | None:
        try:
            return self._remote.run(self._order.test_command)
        except NoAnswer as silence:
            self._log(f"the test command got no answer: {silence.text}")
            return None

    def _too_late(self, watch: _Watch) -> RebootError:
        seconds = f"{self._order.reboot_timeout:g} seconds"
        if watch.seen_down is None:
            return RebootError(
                "did_not_go_down",
                f"The host still ran its old system after {seconds}.",
                "Look at its console for a service that does not stop.",
                stage="shutdown",
                rebooted=False,
                last_error=watch.last_error,
            )
        return RebootError(
            "did_not_return",
            f"The host went down and did not come back within {seconds}. "
            f"The last thing heard was: {watch.last_error or 'nothing'}.",
            "Look at its console; a reset or a power cycle boots the boot loader's default.",
            stage="down",
            rebooted=None,
            last_error=watch.last_error,
        )


def _output(completed: Completed | None) -> dict[str, t.Any]:
    if completed is None:
        return {}
    return {"rc": completed.rc, "stdout": completed.stdout, "stderr": completed.stderr}


def _host_key_changed(watch: _Watch) -> RebootError:
    return RebootError(
        "host_key_changed",
        "The host answers with a host key that the controller does not know.",
        "Check on its console that it is the same host; its keys may not be on a lasting file "
        "system. Then renew its entry in known_hosts.",
        stage=watch.stage,
        rebooted=None,
        last_error=watch.last_error,
    )


def _authentication_refused(watch: _Watch) -> RebootError:
    return RebootError(
        "authentication_refused",
        f"The host answers and refuses the login: {watch.last_error}.",
        "Check on its console that the user's keys and home directory are there.",
        stage=watch.stage,
        rebooted=None,
        last_error=watch.last_error,
    )


def _already_leaving() -> RebootError:
    return RebootError(
        "already_leaving",
        "Another controller has ordered the host to reboot.",
        "Wait until it is back, and see what the other controller did.",
        stage="shutdown",
        rebooted=None,
    )


def _trigger_lost() -> RebootError:
    return RebootError(
        "trigger_lost",
        "The host accepted the order to leave and never began.",
        "Nothing was changed on it but the loaded image. Run the task again; if it fails again, "
        "see whether something on the host ends background processes.",
        stage="trigger",
        rebooted=False,
    )


def _wrong_method(wanted: Method, found: Method | None, observation: Observation) -> RebootError:
    came = "through kexec into another image" if found is None else f"through {found}"
    return RebootError(
        "wrong_method",
        f"The host was to come up through {wanted} and came up {came}: "
        f"its command line is {observation.cmdline!r}.",
        "See its console and its kernel log for what happened between.",
        stage="verify",
        rebooted=True,
        observation=observation,
    )


def _wrong_kernel(expected: str, observation: Observation) -> RebootError:
    return RebootError(
        "wrong_kernel",
        f"The host was to come up with {expected} and runs {observation.release}.",
        "Check the boot loader's default entry and the files in /boot.",
        stage="verify",
        rebooted=True,
        observation=observation,
    )


def _test_failed(command: str, completed: Completed | None) -> RebootError:
    said = "the host did not answer" if completed is None else f"exit status {completed.rc}"
    return RebootError(
        "test_command_failed",
        f"The host came back and the test command {command!r} does not succeed: {said}.",
        "Run the command on the host to see why.",
        stage="test_command",
        rebooted=True,
        **_output(completed),
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A call without an end is ended, and nobody else's timer is lost."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.limit import (
    CallTimeoutError,
    limit,
)

SOON, LATER, FAR = 0.02, 0.2, 60.0


class OuterError(Exception):
    """Stands for what the timeout keyword raises."""


def timer() -> float:
    return signal.getitimer(signal.ITIMER_REAL)[0]


@pytest.fixture(autouse=True)
def no_timer_is_left() -> t.Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    left = timer()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert left == 0
    assert signal.getsignal(signal.SIGALRM) is before


@contextlib.contextmanager
def outer(seconds: float) -> t.Iterator[None]:
    """A timer that was set before, as for the timeout keyword."""

    def interrupt(_number: int, _frame: t.Any) -> None:
        raise OuterError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait(seconds: float = 5.0) -> None:
    """Wait in small pieces, as a client that polls."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)


def test_limit_interrupts_a_call_that_hangs() -> None:
    with pytest.raises(CallTimeoutError), limit(SOON):
        wait()


@pytest.mark.parametrize("seconds", [0.0, -1.0], ids=["none", "less than none"])
def test_limit_without_any_time_left_is_still_one(seconds: float) -> None:
    # A timer that is set to nothing would never fire.
    with pytest.raises(CallTimeoutError), limit(seconds):
        wait()


def test_limit_is_not_taken_for_an_error_of_the_call() -> None:
    # Ansible's connections answer every Exception with another attempt.
    assert not issubclass(CallTimeoutError, Exception)


def test_limit_leaves_a_quick_call_alone() -> None:
    with limit(FAR):
        assert timer() > 0
    assert timer() == 0


def test_limit_ends_with_an_error_of_the_call() -> None:
    with pytest.raises(OuterError), limit(FAR):
        raise OuterError


def test_outer_timer_goes_on_afterwards() -> None:
    with outer(FAR):
        with pytest.raises(CallTimeoutError), limit(SOON):
            wait()
        assert 0 < timer() < FAR


def test_outer_timer_that_came_due_meanwhile_fires_at_once() -> None:
    with pytest.raises(OuterError), outer(LATER):
        outlast()


def outlast() -> None:
    """Be deaf to the limit until the outer timer is overdue, and then wait."""
    with limit(SOON):
        with contextlib.suppress(CallTimeoutError):
            wait()
        wait(LATER)
    wait()


def test_outer_timer_wins_if_it_is_due_first() -> None:
    with pytest.raises(OuterError), outer(SOON), limit(FAR):
        wait()


def test_outer_timer_that_is_due_first_is_left_as_it_is() -> None:
    with outer(FAR):
        with limit(FAR * 2):
            assert 0 < timer() <= FAR
        assert 0 < timer() <= FAR


def test_limits_can_be_nested() -> None:
    with pytest.raises(CallTimeoutError), limit(FAR):
        wait_twice()


def wait_twice() -> None:
    with contextlib.suppress(CallTimeoutError), limit(SOON):
        wait()
    assert 0 < timer() <= FAR
    # Sooner than the timer does.
    signal.raise_signal(signal.SIGALRM)


def test_signal_that_comes_late_leaves_the_outer_timer_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(which: int, seconds: float) -> None:
        if seconds == 0:
            raise CallTimeoutError
        real(which, seconds)

    real = signal.setitimer
    handler = signal.getsignal(signal.SIGALRM)
    with pytest.raises(CallTimeoutError), limit(FAR):
        monkeypatch.setattr(signal, "setitimer", late)
    monkeypatch.undo()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert signal.getsignal(signal.SIGALRM) == handler


def test_limit_does_nothing_outside_the_main_thread() -> None:
    # Only the main thread can take signals.
    seen: list[float] = []

    def work() -> None:
        with limit(SOON):
            seen.append(timer())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [0]

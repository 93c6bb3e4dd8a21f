# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a host was away: the longest silence between two answers, and no guess."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest

from tests.demo import watch
from tests.demo.watch import Watch, longest_silence, watching


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([], 0.0, id="no answer"),
        pytest.param([7.0], 0.0, id="one answer"),
        pytest.param([1.0, 1.5], 0.5, id="two answers"),
        pytest.param([1.0, 2.0, 3.0], 1.0, id="never away"),
        pytest.param([1.0, 1.25, 9.25, 9.5], 8.0, id="away once"),
        pytest.param([0.0, 4.0, 4.5, 10.5, 11.0], 6.0, id="away twice"),
        pytest.param([0.0, 30.0], 30.0, id="away between first and last"),
    ],
)
def test_longest_silence(answers: list[float], expected: float) -> None:
    assert longest_silence(answers) == expected


class Answerer:
    """Answers by a script, one line for each time that it is asked, and then no more."""

    def __init__(self, script: Iterable[bool]) -> None:
        self._script = list(script)
        self.asked = 0
        self.done = threading.Event()

    def __call__(self) -> bool:
        self.asked += 1
        if self.asked >= len(self._script):
            self.done.set()
        return self.asked <= len(self._script) and self._script[self.asked - 1]


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let an answer come at each of these times, and ask at once for the next."""
    left: list[float] = []
    monkeypatch.setattr(watch, "GAP_SECONDS", 0.001)
    monkeypatch.setattr(f"{watch.__name__}.time.monotonic", lambda: left.pop(0))
    return left


def watched(answerer: Answerer) -> Watch:
    with watching(answerer) as found:
        assert answerer.done.wait(2)
    return found


@pytest.mark.parametrize(
    ("script", "at", "expected"),
    [
        pytest.param([True, True, False, False, True], [1.0, 2.0, 9.0], 7.0, id="away once"),
        pytest.param([False, True, True], [3.0, 3.5], 0.5, id="silent at first"),
        pytest.param([True, True, False], [3.0, 3.5], 0.5, id="silent at last"),
        pytest.param([False, False], [], 0.0, id="never an answer"),
    ],
)
def test_watch_measures_between_answers(
    times: list[float], script: list[bool], at: list[float], expected: float
) -> None:
    times += at
    assert watched(Answerer(script)).downtime == expected


def test_watch_asks_no_more_after_its_block() -> None:
    answerer = Answerer([True])
    watched(answerer)
    asked = answerer.asked
    assert not any(thread.name.endswith("(_watch)") for thread in threading.enumerate())
    assert answerer.asked == asked


def test_watch_ends_when_its_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), watching(lambda: True):
        raise ZeroDivisionError
    assert not any(thread.name.endswith("(_watch)") for thread in threading.enumerate())


def test_watch_pauses_between_two_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GAP_SECONDS", 60.0)
    answerer = Answerer([True])
    with watching(answerer):
        pass
    assert answerer.asked == 0

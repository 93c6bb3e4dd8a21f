# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from tests.bench import batches, play
from tests.bench.batches import Measured
from tests.bench.errors import BenchError

SMALL, LARGE = Measured(10, 0.05, 0.15, 1.0), Measured(1000, 0.4, 0.5, 5.0)


LAST = ("HOST  OUTCOME",)


def a_run(rc: int = 0, says: t.Any = batches.SAYS, last: t.Any = LAST) -> play.Play:
    """The steps take a tenth of a second, and a second each before the first batch and behind the last."""
    events: list[play.Event] = []
    for number in range(batches.REPEATED + 2):
        is_last = number == batches.REPEATED + 1
        for task, result in (
            (batches.BRAKE, {}),
            (batches.TABLE, {"msg": last if is_last else says}),
        ):
            began = 10.0 * len(events)
            took = 1.0 if is_last or not number else 0.1
            events.append(play.Event("h0", task, "ok", began, began + took, result))
    return play.Play(rc, True, "output", 0.0, 100.0, 9.0, 5.0, 0, events)


def test_steps_are_measured_by_their_median(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "run", lambda *_arguments, **_keywords: a_run())
    found = batches.measure(10)
    assert found.hosts == 10
    assert [found.brake, found.table, found.ends] == pytest.approx([0.1, 0.1, 4.0])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"rc": 2}, id="the brake has stopped"),
        pytest.param({"says": LAST}, id="a table was shown early"),
        pytest.param({"last": batches.SAYS}, id="no table was shown"),
    ],
)
def test_another_step_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, t.Any]
) -> None:
    monkeypatch.setattr(play, "run", lambda *_arguments, **_keywords: a_run(**wrong))
    with pytest.raises(BenchError, match="batches: 10 hosts"):
        batches.measure(10)


def test_play_has_as_many_batches_in_its_middle_as_hosts() -> None:
    assert batches.table([SMALL, LARGE]).rows == [
        ("10", "0.05 s", "0.15 s", "3 s"),
        ("1000", "0.40 s", "0.50 s", "905 s"),
    ]


def test_largest_play_tells_whether_they_are_cheap_enough() -> None:
    assert batches.accept([SMALL]) == []
    (found,) = batches.accept([SMALL, LARGE])
    assert found.found == pytest.approx(0.045)
    assert found.holds
    (found,) = batches.accept([SMALL, Measured(1000, 0.6, 0.5, 5.0)])
    assert not found.holds

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.bench import latency, play
from tests.bench.errors import BenchError
from tests.bench.latency import Sample
from tests.bench.load import Load
from tests.bench.play import Event, Play

OURS = Sample("ours", "cut", 3.0, 0.3, 0.5)
CORE = Sample("core", "cut", 3.0, 6.0, 0.5)
ROLE = Sample("role", "cut", 3.0, 0.9, 0.5)
PLAYBOOK = Sample("playbook", "cut", 3.0, 1.1, 0.2)
GIVEN_UP = Sample("core", "orderly", 3.0, None, 0.0, "timed out")
GOOD = [OURS, replace(OURS, shutdown="orderly", latency=0.5), CORE, GIVEN_UP, ROLE, PLAYBOOK]


# A machine that was busy half of the time.
HALF = Load(times=[0.0, 200.0], busy=[0.0, 200.0], all=[0.0, 400.0])


@dataclass
class Answering:
    """A host that answered at a moment."""

    answered_at: float = 100.0


def event(ended: float, status: str = "ok") -> Event:
    return Event("h0", "a task", status, 0.0, ended, {"msg": "why"})


@pytest.mark.parametrize(
    ("events", "found", "message"),
    [
        pytest.param([event(1.0), event(100.25)], 0.25, "", id="done"),
        pytest.param([event(1.0), event(160.5)], None, "done 60 s after its answer", id="late"),
        pytest.param([event(99.0)], None, "done -1 s after its answer", id="before the answer"),
        # A playbook shows its table also where its role has failed.
        pytest.param([event(100.0, "failed"), event(100.5)], None, "why", id="failed on the way"),
        pytest.param([event(1.0, "unreachable")], None, "why", id="unreachable"),
        pytest.param([], None, "no result", id="nothing"),
    ],
)
def test_only_what_is_done_within_its_time_has_a_latency(
    events: list[Event], found: float | None, message: str
) -> None:
    sample = latency.judged(Sample("ours", "cut", 3.0, None, 0.0), events, Answering(), HALF)
    assert (sample.latency, sample.message) == (found, message)
    assert sample.busy == (0.0 if found is None else 0.5)


def test_run_that_did_not_come_to_its_end_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its host was at work then, and the last that it did was well.
    cut = Play(-15, False, "cut off", 0.0, 9.0, 1.0, 1.0, 0, [event(1.0)])
    monkeypatch.setattr(play, "run", lambda *_arguments, **_keywords: cut)
    with pytest.raises(BenchError, match="cut off"):
        latency.sweep("playbook", "cut", (3.0,))


def test_what_was_not_done_is_counted_and_not_averaged() -> None:
    assert latency.of(GOOD, "core") == [6.0]
    assert latency.not_done(GOOD, "core") == 1
    assert latency.not_done(GOOD, "core", "cut") == 0


def test_good_figures_are_accepted() -> None:
    found = {each.name: each.found for each in latency.accept(GOOD)}
    assert all(each.holds for each in latency.accept(GOOD))
    assert found["ours, mean"] == 0.4
    assert found["ours, longest"] == 0.5
    assert (found["role, mean"], found["playbook, mean"]) == (0.9, 1.1)


@pytest.mark.parametrize("contender", ["ours", "role", "playbook"])
def test_a_reboot_of_ours_that_was_not_done_is_not_accepted(contender: str) -> None:
    samples = [*GOOD, replace(GIVEN_UP, contender=contender)]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert (refused.name, refused.found) == (f"{contender}, not done", 1.0)


@pytest.mark.parametrize("contender", ["role", "playbook"])
def test_what_was_not_measured_is_not_accepted(contender: str) -> None:
    samples = [each for each in GOOD if each.contender != contender]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert (refused.name, refused.found) == (f"{contender}, mean", None)


@pytest.mark.parametrize("contender", ["ours", "core", "role", "playbook"])
def test_figures_of_a_busy_machine_are_not_accepted(contender: str) -> None:
    # That it had nothing to do beside another contender does not make up for it.
    samples = [
        replace(each, busy=0.9) if each.contender == contender else replace(each, busy=0.0)
        for each in GOOD
    ]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert refused.found == 0.9


def test_table_has_a_row_for_each_downtime() -> None:
    table = latency.table([*GOOD, replace(OURS, downtime=60.0)])
    columns = [f"{who}, {way}" for way in ("cut", "orderly") for who in latency.NAMES]
    assert table.columns == ("Downtime", *columns)
    assert table.rows == [
        ("3 s", "6.00 s", "0.30 s", "0.90 s", "1.10 s", "not done", "0.50 s", "-", "-"),
        ("60 s", "-", "0.30 s", *["-"] * 6),
    ]


def test_summary_has_a_row_for_each_contender() -> None:
    rows = {row[:2]: row[2:] for row in latency.summary_table(GOOD).rows}
    assert rows["core", "orderly"] == ("-", "-", "-", "-", "1")
    assert rows["ours", "cut"] == ("0.30 s", "0.30 s", "0.30 s", "0.30 s", "0")

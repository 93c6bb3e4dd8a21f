# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the runs of a walk: kinds of differences, what to boot, a report."""

from __future__ import annotations

import pytest

from tests.lab.power.judge import Verdict
from tests.lab.power.walk import Run, Sight, differences, prefixes, report, seen_after

EMPTY = Verdict("menu_empty", "/m is empty", (("/m", "0"),))
OLD = Verdict("ok", "/m 1", (("/m", "1"), ("/k", "7")))
NEW = Verdict("ok", "/m 2", (("/m", "2"), ("/k", "7")))
RUNS = [
    Run(0, 4, Sight(OLD, OLD)),
    Run(5, 5, Sight(OLD, NEW)),
    Run(6, 8, Sight(EMPTY, NEW)),
    Run(9, 30, Sight(NEW, NEW)),
    Run(31, 31, Sight(EMPTY, NEW)),
]


def test_differences_have_the_first_of_each_kind() -> None:
    assert differences(RUNS) == {("/m",): 5, ("menu_empty", "ok"): 6}


@pytest.mark.parametrize("seed", range(20))
def test_prefixes_have_each_kind_and_some_at_random(seed: int) -> None:
    chosen = prefixes(RUNS, seed)
    assert chosen == prefixes(RUNS, seed) == sorted(set(chosen))
    assert len(chosen) == 10
    assert {5, 6} < set(chosen) <= set(range(32))


def test_prefixes_differ_by_their_seed() -> None:
    assert len({tuple(prefixes(RUNS, seed)) for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("runs", "most", "expected"),
    [(RUNS[:1], 10, [0, 1, 2, 3, 4]), (RUNS, 2, [5, 6]), (RUNS, 1, [5])],
    ids=["all there are", "kinds only", "the first kind"],
)
def test_prefixes_are_no_more_than_there_are(
    runs: list[Run], most: int, expected: list[int]
) -> None:
    assert prefixes(runs, 1, most) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(0, RUNS[0]), (4, RUNS[0]), (5, RUNS[1]), (20, RUNS[3]), (31, RUNS[4])]
)
def test_seen_after_is_of_the_run_that_has_the_entry(count: int, expected: Run) -> None:
    assert seen_after(RUNS, count) == expected.sight


def test_report_tells_runs_and_seed() -> None:
    told = report(RUNS[1:3], 7)
    assert "after 6 to 8 entries\n  boot loader: menu_empty: /m is empty\n  kernel: ok" in told
    chosen = " ".join(map(str, prefixes(RUNS[1:3], 7)))
    assert told.endswith(f"to boot, with seed 7: {chosen}\n")

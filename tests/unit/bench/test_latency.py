# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench import latency
from tests.bench.latency import Sample

OURS = Sample("ours", "cut", 3.0, 0.3, 0.5)
CORE = Sample("core", "cut", 3.0, 6.0, 0.5)
ROLE = Sample("role", "cut", 3.0, 0.9, 0.5)
HUNG = Sample("core", "orderly", 3.0, None, 0.0, "timed out")
GOOD = [OURS, replace(OURS, shutdown="orderly", latency=0.5), CORE, HUNG, ROLE]


def test_what_hung_is_counted_and_not_averaged() -> None:
    assert latency.of(GOOD, "core") == [6.0]
    assert latency.hung(GOOD, "core") == 1
    assert latency.hung(GOOD, "core", "cut") == 0


def test_good_figures_are_accepted() -> None:
    found = {each.name: each.found for each in latency.accept(GOOD)}
    assert all(each.holds for each in latency.accept(GOOD))
    assert found["ours, mean"] == 0.4
    assert found["ours, longest"] == 0.5
    assert found["role, mean"] == 0.9


@pytest.mark.parametrize("contender", ["ours", "role"])
def test_a_reboot_of_ours_that_hung_is_not_accepted(contender: str) -> None:
    samples = [*GOOD, replace(HUNG, contender=contender)]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert (refused.name, refused.found) == (f"{contender}, hung", 1.0)


def test_a_role_that_was_not_measured_is_not_accepted() -> None:
    samples = [each for each in GOOD if each is not ROLE]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert (refused.name, refused.found) == ("role, mean", None)


def test_figures_of_a_busy_machine_are_not_accepted() -> None:
    samples = [replace(each, busy=0.9) for each in GOOD]
    (refused,) = [each for each in latency.accept(samples) if not each.holds]
    assert refused.found == 0.9


def test_table_has_a_row_for_each_downtime() -> None:
    table = latency.table([*GOOD, replace(OURS, downtime=60.0)])
    columns = [f"{who}, {way}" for way in ("cut", "orderly") for who in ("core", "ours", "role")]
    assert table.columns == ("Downtime", *columns)
    assert table.rows == [
        ("3 s", "6.00 s", "0.30 s", "0.90 s", "hung", "0.50 s", "-"),
        ("60 s", "-", "0.30 s", "-", "-", "-", "-"),
    ]


def test_summary_has_a_row_for_each_contender() -> None:
    rows = {row[:2]: row[2:] for row in latency.summary_table(GOOD).rows}
    assert rows["core", "orderly"] == ("-", "-", "-", "-", "1")
    assert rows["ours", "cut"] == ("0.30 s", "0.30 s", "0.30 s", "0.30 s", "0")

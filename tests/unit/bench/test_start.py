# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from tests.bench import start
from tests.bench.start import Measured

CORE = Measured("core", False, [1.0, 2.0, 3.0], [10, 10, 10], 0.6)
OURS = Measured("ours", False, [0.5, 0.6, 0.7], [7, 7, 7], 0.3)
FOUND = [CORE, OURS, *(dataclasses.replace(each, pipelining=True) for each in (CORE, OURS))]


def test_less_work_is_accepted() -> None:
    assert [each.found for each in start.accept(FOUND)] == [0.7, 0.3, 0.5] * 2
    assert all(each.holds for each in start.accept(FOUND))


def test_as_many_operations_are_not() -> None:
    found = [*FOUND[:3], dataclasses.replace(FOUND[3], operations=[7, 10])]
    assert [each.holds for each in start.accept(found)] == [True, True, True, False, True, True]


def test_table_has_median_and_most_operations() -> None:
    assert start.table([CORE]).rows == [("core", "off", "2.00 s", "10", "600 ms")]

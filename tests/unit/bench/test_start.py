# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from tests.bench import start
from tests.bench.start import Measured

CORE = Measured("core", False, [1.0, 2.0, 3.0], [10, 10, 10], 0.6)
OURS = Measured("ours", False, [0.5, 0.6, 0.7], [7, 7, 7], 0.3)
ROLE = Measured("role", False, [3.0, 3.1, 3.2], [13, 13, 13], 3.0)
ALL = (CORE, OURS, ROLE)
FOUND = [*ALL, *(dataclasses.replace(each, pipelining=True) for each in ALL)]


def test_less_work_is_accepted() -> None:
    assert [each.found for each in start.accept(FOUND)] == [1.3, 0.7, 0.3, 0.5] * 2
    assert all(each.holds for each in start.accept(FOUND))


def test_as_many_operations_are_not() -> None:
    found = [*FOUND[:4], dataclasses.replace(FOUND[4], operations=[7, 10]), FOUND[5]]
    assert [each.name for each in start.accept(found) if not each.holds] == [
        "ours / core, ssh operations, pipelining"
    ]


def test_role_that_asks_much_more_than_core_is_not() -> None:
    found = [*FOUND[:2], dataclasses.replace(ROLE, operations=[13, 16]), *FOUND[3:]]
    assert [each.name for each in start.accept(found) if not each.holds] == [
        "role / core, ssh operations, no pipelining"
    ]


def test_table_has_median_and_most_operations() -> None:
    assert start.table([CORE]).rows == [("core", "off", "2.00 s", "10", "600 ms")]

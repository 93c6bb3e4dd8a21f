# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

from tests.bench import downtime
from tests.bench.console import Reboot
from tests.bench.downtime import Measured

CORE = Measured("extlinux", "core", Reboot(0.0, 3.0, 30.0, 40.0), 8.0, 48.0, None)
OURS = Measured("extlinux", "ours", Reboot(0.0, 3.0, 15.0, 20.0), 6.0, 21.0, 18.5)


def test_the_machine_s_own_time_and_a_little_more_is_accepted() -> None:
    first, second = downtime.accept([CORE, OURS])
    assert (first.found, first.limit, first.holds) == (21.0, 24.0, True)
    assert (second.found, second.holds) == (0.75, True)


def test_more_than_that_is_not() -> None:
    late = dataclasses.replace(OURS, until_done=24.1)
    assert [each.holds for each in downtime.accept([CORE, late])] == [False, True]


def test_table_has_each_part_of_the_way() -> None:
    assert downtime.table([OURS]).rows == [
        ("BIOS, extlinux", "ours", "6.0 s", "3.0 s", "12.0 s", "5.0 s", "20.0 s", "21.0 s")
    ]

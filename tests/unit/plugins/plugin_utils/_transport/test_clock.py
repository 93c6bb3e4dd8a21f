# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real clock goes forward."""

from __future__ import annotations

import time

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.clock import SystemClock


def test_sleep_takes_the_time_it_is_told() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)
    assert 0.01 <= clock.now() - before < 5


def test_now_is_the_clock_that_nobody_can_set() -> None:
    before = time.monotonic()
    assert before <= SystemClock().now() <= time.monotonic()

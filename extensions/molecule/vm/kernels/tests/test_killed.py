# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller that dies in the middle of a trial: the host ends it by itself, or the next run does."""

from __future__ import annotations

import time

import pytest

from tests import lab
from tests.plays import Supply, codes_of, only_in_full

from .conftest import Host, take
from .variables import DEADLINE, KERNEL_UPGRADE, NEW, OLD, PLAIN

pytestmark = [only_in_full, pytest.mark.long]

# As the journal tells them, in their order.
STATES = ("armed", "on_trial", "verified", "committed")
WITHIN_SECONDS = 900.0


def reached(host: Host, state: str) -> None:
    """Wait until the host's journal says so, or more than that."""
    end = time.monotonic() + WITHIN_SECONDS
    enough = STATES[STATES.index(state) :]
    while host.reached() not in enough:
        assert time.monotonic() < end, f"the trial was never {state}: {host.journal()}"
        time.sleep(0.2)


@pytest.mark.parametrize("state", STATES)
def test_next_run_finishes_what_a_dead_one_began(machines: Supply, state: str) -> None:
    host = take(machines, "extlinux")
    host.apk_upgrade()
    host.kill_play(KERNEL_UPGRADE, lambda: reached(host, state), **PLAIN)
    orphan = host.journal()["run"]
    run = host.upgrade()
    assert run.rc == 0, run.output
    late = host.module("kernel_trial", state="committed", run=orphan)
    if host.journal()["run"] == orphan:
        # The next run has seen the host well, and ended what the dead one began.
        assert (late.status, late.result["changed"]) == ("ok", False), late.result
    else:
        assert codes_of(late.result) == ["trial_of_another"]
    assert (host.release(), host.trial()["state"]) == (NEW, "committed")
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules()) == (NEW, "")


def test_kernel_that_nobody_confirms_is_left_at_the_deadline(machines: Supply) -> None:
    host = take(machines, "extlinux")
    host.apk_upgrade()
    good, before = host.slots().good, host.boot_id()
    host.kill_play(KERNEL_UPGRADE, lambda: reached(host, "on_trial"), **PLAIN, **DEADLINE)
    record = lab.find(host.name)
    assert lab.ending(record, lambda: None, within=WITHIN_SECONDS) == "firmware"
    assert host.boot_id() != before
    assert (host.release(), host.slot_parameter()) == (OLD, good)
    assert host.trial()["cause"] == "deadline"

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new kernel that firmware has to boot once before it becomes the one that firmware boots."""

from __future__ import annotations

import pytest

from tests import lab
from tests.plays import ALPINES, Supply, only_in_full

from .conftest import LOADERS, Host, take
from .test_failures import with_init
from .variables import (
    COLD_PROOF,
    DEADLINE,
    NEW,
    OLD,
    PROOF_PARAMETER,
    SLOT_PARAMETER,
    TRIAL_PARAMETER,
)

pytestmark = [only_in_full, pytest.mark.long]

# An initramfs that lives behind kexec alone, and a system that has a network there alone.
NOT_COLD = (
    r"#!/bin/sh\n/bin/busybox mount -t proc proc /proc\n"
    rf"/bin/busybox grep -qF {TRIAL_PARAMETER} /proc/cmdline || echo c >/proc/sysrq-trigger\n"
    rf"/bin/busybox umount /proc\nexec {ALPINES}\n"
)
NO_NETWORK = (
    f"echo 'if grep -qF {PROOF_PARAMETER} /proc/cmdline; then exit 1; fi' >>/etc/conf.d/networking"
)
SABOTAGES = {"panic": with_init(NOT_COLD), "deadline": NO_NETWORK}


def starts(host: Host, seen: int) -> int:
    """How many kernels began since, by the console."""
    return host.console()[seen:].count("is starting up Linux")


@pytest.mark.parametrize("loader", LOADERS)
def test_firmware_boots_the_slot_once_before_the_commit(machines: Supply, loader: str) -> None:
    host = take(machines, loader)
    host.apk_upgrade()
    seen = len(host.console())
    run = host.upgrade(**COLD_PROOF)
    assert run.rc == 0, run.output
    assert (host.release(), host.trial()["state"]) == (NEW, "committed")
    # One through kexec, and one through firmware that runs still.
    assert starts(host, seen) == 2
    assert lab.boot_of(lab.find(host.name))[1] != lab.KEXEC_TYPE
    # It had a guard, and the next boot needs none.
    assert PROOF_PARAMETER in host.read("/proc/cmdline")
    assert f"{SLOT_PARAMETER}{host.slots().good}" in host.read("/proc/cmdline").split()
    assert host.reboot() == "firmware"
    assert host.release() == NEW
    assert PROOF_PARAMETER not in host.read("/proc/cmdline")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("cause", SABOTAGES)
def test_kernel_that_starts_through_kexec_alone_never_becomes_the_default(
    machines: Supply, loader: str, cause: str
) -> None:
    host = take(machines, loader)
    good = host.slots().good
    host.apk_upgrade()
    host.host.check_output("sh -c %s", SABOTAGES[cause])
    run = host.upgrade(**COLD_PROOF, **DEADLINE)
    assert run.rc != 0
    assert (host.release(), host.slot_parameter(), host.slots().good) == (OLD, good, good)
    trial = host.trial()
    assert (trial["state"], trial["cause"]) == ("rolled_back", cause)
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules()) == (OLD, "")


@pytest.mark.parametrize("loader", LOADERS)
def test_power_cut_after_the_order_boots_the_slot_once_and_then_the_good_one(
    machines: Supply, loader: str
) -> None:
    host = take(machines, loader)
    good = host.slots().good
    host.apk_upgrade()
    candidate = host.slots().candidate["id"]
    armed = host.module("kernel_trial", state="armed", run="00000000-0000-4000-8000-000000000001")
    assert armed.status == "ok", armed.result
    assert host.boot_once(loader, candidate) == "firmware"
    assert host.slot_parameter() == candidate
    lab.power_cycle(host.name)
    lab.wait_for_login(lab.find(host.name), 600)
    assert (host.slot_parameter(), host.release()) == (good, OLD)

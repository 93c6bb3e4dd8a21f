# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new kernel that firmware has to boot once before it becomes the one that firmware boots."""

from __future__ import annotations

import pytest

from tests import lab
from tests.plays import Supply, only_in_full

from .conftest import LOADERS, Host, take
from .variables import COLD_PROOF, NEW, OLD, SLOT_PARAMETER

pytestmark = [only_in_full, pytest.mark.long]

# The slot boots through kexec, and not through firmware: the boot loader gives it other parameters.
NOT_COLD = (
    "printf '#!/bin/sh\n! grep -q BOOT_IMAGE= /proc/cmdline || reboot\n' >/etc/local.d/cold.start; "
    "chmod 755 /etc/local.d/cold.start; rc-update add local default"
)


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
    assert f"{SLOT_PARAMETER}{host.slots().good}" in host.read("/proc/cmdline").split()
    assert host.reboot() == "firmware"
    assert host.release() == NEW


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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an installed Alpine, locked and without Python, to a reboot that is proven."""

from __future__ import annotations

from tests import lab
from tests.plays import FAST_REBOOT, Machine

TOKEN = "alpinefleet_kexec.token="
# What kexec-tools report to the kernel as its boot loader.
KEXEC_TYPE = "208"


def boots(machine: Machine) -> int:
    """How often a system was started, by the serial console."""
    return lab.console(lab.find(machine.name)).count("is starting up Linux")


def test_one_boot_through_firmware_made_it_able(machine: Machine) -> None:
    assert boots(machine) == 2
    words = machine.read("/proc/cmdline").split()
    assert {"kexec_load_disabled=0", "panic=10"} <= set(words)
    assert machine.read("/proc/sys/kernel/kexec_load_disabled") == "0"


def test_the_firmware_is_the_one_that_is_meant(machine: Machine) -> None:
    assert machine.host.file("/sys/firmware/efi").exists == machine.name.endswith("efi")
    assert machine.read("/proc/sys/kernel/bootloader_type") != KEXEC_TYPE


def test_fast_reboot_goes_through_kexec_and_is_proven(machine: Machine) -> None:
    before = machine.state()
    run = machine.play(FAST_REBOOT)
    assert run.rc == 0, run.output
    result = run.reboot
    assert (result["rebooted"], result["method"]) == (True, "kexec")
    assert result["boot_id"]["before"] == before.boot_id
    assert f"{TOKEN}{result['token']}" in machine.read("/proc/cmdline").split()
    assert machine.read("/proc/sys/kernel/bootloader_type") == KEXEC_TYPE
    assert machine.host.file("/sys/firmware/efi").exists == machine.name.endswith("efi")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an installed Alpine, locked and without Python, to a reboot that is proven."""

from __future__ import annotations

from tests.plays import FAST_REBOOT

from .conftest import Prepared

ROLE = "alpinefleet.kexec.kexec_host"
TOKEN = "alpinefleet_kexec.token="
# What kexec-tools report to the kernel as its boot loader.
KEXEC_TYPE = "208"


def test_it_was_as_alpine_installs_it(prepared: Prepared) -> None:
    assert prepared.found == "as installed"


def test_check_mode_says_what_cannot_be_foretold_and_changes_nothing(prepared: Prepared) -> None:
    run = prepared.foretold
    assert run.rc == 0, run.output
    (said,) = run.changed
    assert said.task == f"{ROLE} : bootstrap | Say what is missing"
    assert said.result["msg"].startswith("Python would be installed on the host;")
    # The host leaves the play there, and is not called lost.
    assert run.tasks[-1] == said
    assert {task.status for task in run.tasks} == {"ok"}
    assert prepared.still_bare == prepared.bare


def test_one_boot_through_firmware_made_it_able(prepared: Prepared) -> None:
    assert prepared.boots == 2
    assert {"kexec_load_disabled=0", "panic=10"} <= set(prepared.cmdline.split())
    assert prepared.lock == "0"


def test_prepared_again_changes_nothing(prepared: Prepared) -> None:
    assert prepared.first.changed != []
    assert prepared.second.changed == []


def test_the_firmware_is_the_one_that_is_meant(prepared: Prepared) -> None:
    assert prepared.uefi == prepared.loader.endswith("efi")
    assert prepared.loader_type != KEXEC_TYPE


def test_fast_reboot_goes_through_kexec_and_is_proven(prepared: Prepared) -> None:
    host = prepared.host
    run = host.play(FAST_REBOOT)
    assert run.rc == 0, run.output
    result = run.reboot
    assert (result["rebooted"], result["method"]) == (True, "kexec")
    assert result["boot_id"]["before"] == prepared.state.boot_id
    assert f"{TOKEN}{result['token']}" in host.read("/proc/cmdline").split()
    assert host.read("/proc/sys/kernel/bootloader_type") == KEXEC_TYPE
    assert host.host.file("/sys/firmware/efi").exists == prepared.uefi

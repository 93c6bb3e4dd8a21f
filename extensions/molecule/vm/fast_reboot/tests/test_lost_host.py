# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that goes down and does not come back, and one that does so by itself."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.lab import find, power_cycle, wait_for_login
from tests.plays import HANG, PlayRun, initramfs_with, only_in_full

from .conftest import KERNEL, Host
from .test_jump import fell_back

LOST_HOST = Path(__file__).parents[1] / "lost-host.yml"
PANIC = r"#!/bin/sh\nexit 1\n"
BROKEN = "/boot/initramfs-broken"
LOGIN_SECONDS = 600.0
REBOOT_TIMEOUT = 60


@pytest.fixture(scope="module")
def broken(host: t.Callable[[str], Host]) -> t.Iterator[Host]:
    """A host without a watchdog; it must be up at the end."""
    found = host("broken")
    yield found
    found.host.check_output("rm -f %s", BROKEN)
    found.forget()


@pytest.fixture(scope="module")
def lost(broken: Host) -> PlayRun:
    """Boot what never gets any further, and look at what the play made of it."""
    broken.host.check_output("sh -c %s", initramfs_with(HANG, BROKEN))
    return broken.play(LOST_HOST, initramfs=BROKEN, reboot_timeout=REBOOT_TIMEOUT)


def test_the_task_fails_with_stage_and_last_error(lost: PlayRun) -> None:
    task = lost.task("Boot what hangs")
    assert task.status == "failed"
    assert task.result["stage"] == "down"
    assert task.result["rebooted"] is None
    assert task.result["reason"]["code"] == "did_not_return"
    assert task.result["last_error"] in task.result["msg"]
    assert task.result["last_error"]


def test_the_deadline_is_waited_for(lost: PlayRun) -> None:
    # Not given up early; that it ends at all is what the other tests could not do without.
    assert lost.task("Boot what hangs").result["elapsed"] >= REBOOT_TIMEOUT


def test_rescue_runs_and_sees_the_stage(lost: PlayRun) -> None:
    assert lost.task("Rescue").result["msg"] == "down"


def test_the_next_task_finds_the_host_unreachable_and_does_not_hang(lost: PlayRun) -> None:
    assert lost.task("Go on").status == "unreachable"


@pytest.mark.usefixtures("lost")
def test_the_new_system_hangs(broken: Host) -> None:
    assert "It hangs" in broken.console()


@pytest.mark.usefixtures("lost")
def test_a_reset_boots_what_the_boot_loader_has(broken: Host) -> None:
    power_cycle(broken.name)
    wait_for_login(find(broken.name), LOGIN_SECONDS)
    assert "BOOT_IMAGE=" in broken.read("/proc/cmdline")


@pytest.mark.usefixtures("lost")
def test_the_host_remembers_and_takes_kexec_back_when_it_is_told_to(broken: Host) -> None:
    assert "kexec_hung" in broken.module("kexec_preflight").codes
    refused = broken.module("kexec_reboot", fallback="fail")
    assert (refused.status, refused.result["reason"]["code"]) == ("failed", "kexec_hung")
    assert broken.module("kexec_preflight", ignore_reasons=["kexec_hung"]).result["able"]


# In every run, init that does not find its root is what panics.
@only_in_full
def test_a_panic_comes_back_through_firmware(broken: Host) -> None:
    broken.host.check_output("sh -c %s", initramfs_with(PANIC, BROKEN))
    seen = len(broken.console())
    task = broken.reboot(kernel=KERNEL, initramfs=[BROKEN], panic_timeout=1)
    fell_back(task)
    assert "Attempted to kill init" in broken.console()[seen:]
    assert "panic=1" not in broken.read("/proc/cmdline").split()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that goes down and does not come back."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.lab import console, find, power_cycle, wait_for_login
from tests.plays import Machine, PlayRun, initramfs_with

LOST_HOST = Path(__file__).parents[1] / "lost-host.yml"
BROKEN = "/boot/initramfs-broken"
JUMP = "/var/lib/alpinefleet-kexec/jump"
LOGIN_SECONDS = 600.0
REBOOT_TIMEOUT = 60


@pytest.fixture(scope="module")
def broken(machine: t.Callable[[str], Machine]) -> t.Iterator[Machine]:
    """A host with an initramfs whose init ends at once; it must be up at the end."""
    host = machine("reboot-open")
    host.host.check_output("sh -c %s", initramfs_with(r"#!/bin/sh\nexit 1\n", BROKEN))
    yield host
    host.host.check_output("rm -f %s %s", BROKEN, JUMP)


@pytest.fixture(scope="module")
def lost(broken: Machine) -> PlayRun:
    """Boot it, and look at what the play made of it."""
    return broken.play(LOST_HOST, initramfs=BROKEN, reboot_timeout=REBOOT_TIMEOUT)


def test_the_task_fails_with_stage_and_last_error(lost: PlayRun) -> None:
    task = lost.task("Boot what panics")
    assert task.status == "failed"
    assert task.result["stage"] == "down"
    assert task.result["rebooted"] is None
    assert task.result["reason"]["code"] == "did_not_return"
    assert task.result["last_error"] in task.result["msg"]
    assert task.result["last_error"]


def test_the_deadline_is_waited_for(lost: PlayRun) -> None:
    # Not given up early; that it ends at all is what the other tests could not do without.
    assert lost.task("Boot what panics").result["elapsed"] >= REBOOT_TIMEOUT


def test_rescue_runs_and_sees_the_stage(lost: PlayRun) -> None:
    assert lost.task("Rescue").result["msg"] == "down"


def test_the_next_task_finds_the_host_unreachable_and_does_not_hang(lost: PlayRun) -> None:
    assert lost.task("Go on").status == "unreachable"


@pytest.mark.usefixtures("lost")
def test_the_kernel_panicked() -> None:
    assert "Attempted to kill init" in console(find("reboot-open"))


@pytest.mark.usefixtures("lost")
def test_a_reset_boots_what_the_boot_loader_has(unlocked: Machine) -> None:
    power_cycle(unlocked.name)
    wait_for_login(find(unlocked.name), LOGIN_SECONDS)
    assert "BOOT_IMAGE=" in unlocked.read("/proc/cmdline")


@pytest.mark.usefixtures("lost")
def test_the_host_remembers_and_takes_kexec_back_when_it_is_told_to(unlocked: Machine) -> None:
    assert "kexec_hung" in unlocked.module("kexec_preflight").codes
    refused = unlocked.module("kexec_reboot", fallback="fail")
    assert (refused.status, refused.result["reason"]["code"]) == ("failed", "kexec_hung")
    assert unlocked.module("kexec_preflight", ignore_reasons=["kexec_hung"]).result["able"]


def test_a_panic_comes_back_through_firmware(broken: Machine) -> None:
    image = {"kernel": "/boot/vmlinuz-virt", "initramfs": [BROKEN], "panic_timeout": 1}
    task = broken.module("kexec_reboot", **image, ignore_reasons=["kexec_hung"])
    assert (task.result["rebooted"], task.result["method"]) == (True, "firmware")
    assert "kexec_not_proven" in task.codes
    assert "panic=1" not in broken.read("/proc/cmdline").split()

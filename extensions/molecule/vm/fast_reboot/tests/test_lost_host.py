# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that goes down and does not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import find, power_cycle, wait_for_login
from tests.plays import HANG, PlayRun, Supply, initramfs_with

from .conftest import Host

LOST_HOST = Path(__file__).parents[1] / "lost-host.yml"
BROKEN = "/boot/initramfs-broken"
LOGIN_SECONDS = 600.0
REBOOT_TIMEOUT = 60

# They look at one run.
pytestmark = pytest.mark.xdist_group("lost-host")


@pytest.fixture(scope="module")
def broken(shared_machines: Supply) -> Host:
    """A host without a watchdog."""
    return shared_machines.take(Host, "unlocked")


@pytest.fixture(scope="module")
def lost(broken: Host) -> tuple[PlayRun, str]:
    """Boot what never gets any further; what the play made of it, and the console."""
    broken.host.check_output("sh -c %s", initramfs_with(HANG, BROKEN))
    run = broken.play(LOST_HOST, initramfs=BROKEN, reboot_timeout=REBOOT_TIMEOUT)
    return run, broken.console()


@pytest.fixture(scope="module")
def run(lost: tuple[PlayRun, str]) -> PlayRun:
    return lost[0]


@pytest.fixture(scope="module")
def reset(broken: Host, lost: tuple[PlayRun, str]) -> Host:
    """The lost host, after somebody has reset it."""
    assert lost[0].rc == 0, lost[0].output
    power_cycle(broken.name)
    wait_for_login(find(broken.name), LOGIN_SECONDS)
    return broken


def test_the_task_fails_with_stage_and_last_error(run: PlayRun) -> None:
    task = run.task("Boot what hangs")
    assert task.status == "failed"
    assert task.result["stage"] == "down"
    assert task.result["rebooted"] is None
    assert task.result["reason"]["code"] == "did_not_return"
    assert task.result["last_error"] in task.result["msg"]
    assert task.result["last_error"]


def test_the_deadline_is_waited_for(run: PlayRun) -> None:
    # Not given up early; that it ends at all is what the other tests could not do without.
    assert run.task("Boot what hangs").result["elapsed"] >= REBOOT_TIMEOUT


def test_rescue_runs_and_sees_the_stage(run: PlayRun) -> None:
    assert run.task("Rescue").result["msg"] == "down"


def test_the_next_task_finds_the_host_unreachable_and_does_not_hang(run: PlayRun) -> None:
    assert run.task("Go on").status == "unreachable"


def test_the_new_system_hangs(lost: tuple[PlayRun, str]) -> None:
    assert "It hangs" in lost[1]


def test_a_reset_boots_what_the_boot_loader_has(reset: Host) -> None:
    assert "BOOT_IMAGE=" in reset.read("/proc/cmdline")


def test_the_host_remembers_and_takes_kexec_back_when_it_is_told_to(reset: Host) -> None:
    assert "kexec_hung" in reset.module("kexec_preflight").codes
    refused = reset.module("kexec_reboot", fallback="fail")
    assert (refused.status, refused.result["reason"]["code"]) == ("failed", "kexec_hung")
    assert reset.module("kexec_preflight", ignore_reasons=["kexec_hung"]).result["able"]

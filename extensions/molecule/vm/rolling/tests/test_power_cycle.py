# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lost host that is reset from outside, on a machine that the campaign left alone."""

from __future__ import annotations

import sys
import typing as t

import pytest

from tests.plays import FAST_REBOOT, Machine, PlayRun, codes_of, only_in_full
from tests.plays.run import ROOT

from .variables import LOST

RESET = ["env", "-C", str(ROOT), sys.executable, "-m", "tests.lab", "power-cycle"]


@pytest.fixture(scope="module")
def third(machine: t.Callable[[int], Machine]) -> Machine:
    return machine(3)


@pytest.fixture(scope="module")
def reset(third: Machine) -> PlayRun:
    """Lose it, and have the role get it back."""
    command = [*RESET, "{{ inventory_hostname }}"]
    return third.play(FAST_REBOOT, fast_reboot_power_cycle_command=command, **LOST)


def test_lost_host_is_back_through_firmware(reset: PlayRun, third: Machine) -> None:
    assert reset.rc == 0, reset.output
    result = reset.reboot
    assert (result["rebooted"], result["method"]) == (True, "firmware")
    assert codes_of(result)[0] == "power_cycled"
    assert [(each["method"], each["reason"]) for each in result["rungs"]] == [
        ("kexec", "did_not_return"),
        ("power_cycle", None),
    ]
    assert "BOOT_IMAGE=" in third.read("/proc/cmdline")


@pytest.mark.usefixtures("reset")
def test_host_remembers_what_happened(third: Machine) -> None:
    result = third.play(FAST_REBOOT, "--check").reboot
    assert result["method"] == "firmware"
    assert "kexec_hung" in codes_of(result)


@only_in_full
@pytest.mark.usefixtures("reset")
def test_good_reboot_clears_it(third: Machine) -> None:
    run = third.play(FAST_REBOOT, fast_reboot_ignore_reasons=["kexec_hung"])
    assert run.rc == 0, run.output
    assert (run.reboot["rebooted"], run.reboot["method"]) == (True, "kexec")
    assert "kexec_hung" not in third.module("kexec_preflight").codes

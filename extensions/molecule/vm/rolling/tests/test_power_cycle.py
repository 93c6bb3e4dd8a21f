# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lost host that is reset from outside."""

from __future__ import annotations

import sys
import typing as t

import pytest

from tests import lab
from tests.plays import FAST_REBOOT, PlayRun, Supply, codes_of, only_in_full
from tests.plays.run import ROOT

from .conftest import KIND, Host
from .variables import LOST

RESET = ["env", "-C", str(ROOT), sys.executable, "-m", "tests.lab", "power-cycle"]

pytestmark = [pytest.mark.xdist_group("power-cycle"), only_in_full]


class Reset(t.NamedTuple):
    """A host that was lost and reset, and what it was then."""

    run: PlayRun
    host: Host
    cmdline: str
    snapshot: lab.Snapshot


@pytest.fixture(scope="module")
def reset(shared_machines: Supply, tmp_path_factory: pytest.TempPathFactory) -> Reset:
    """Lose it, and have the role get it back."""
    host = shared_machines.take(Host, KIND)
    command = [*RESET, "{{ inventory_hostname }}"]
    run = host.play(FAST_REBOOT, fast_reboot_power_cycle_command=command, **LOST)
    cmdline, folder = host.read("/proc/cmdline"), tmp_path_factory.mktemp("reset")
    return Reset(run, host, cmdline, lab.take(lab.find(host.name), folder))


@pytest.fixture
def back(machines: Supply, reset: Reset) -> Host:
    return machines.take(Host, KIND, reset.snapshot)


def test_lost_host_is_back_through_firmware(reset: Reset) -> None:
    assert reset.run.rc == 0, reset.run.output
    result = reset.run.reboot
    assert (result["rebooted"], result["method"]) == (True, "firmware")
    assert codes_of(result)[0] == "power_cycled"
    assert [(each["method"], each["reason"]) for each in result["rungs"]] == [
        ("kexec", "did_not_return"),
        ("power_cycle", None),
    ]
    assert "BOOT_IMAGE=" in reset.cmdline


def test_host_remembers_what_happened(back: Host) -> None:
    result = back.play(FAST_REBOOT, "--check").reboot
    assert result["method"] == "firmware"
    assert "kexec_hung" in codes_of(result)


def test_good_reboot_clears_it(back: Host) -> None:
    run = back.play(FAST_REBOOT, fast_reboot_ignore_reasons=["kexec_hung"])
    assert run.rc == 0, run.output
    assert (run.reboot["rebooted"], run.reboot["method"]) == (True, "kexec")
    assert "kexec_hung" not in back.module("kexec_preflight").codes

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upgrade of two hosts of which one is lost: the third one is left alone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plays import Machine, PlayRun, State, run_playbook

from .variables import LOST, ROLLING_UPGRADE

SCENARIO = Path(__file__).parents[1]
DRAINED = "/etc/out-of-work"
BRAKE = "Stop when too many hosts are lost"
VARIABLES = {
    "rolling_upgrade_serial": [2, 1],
    "rolling_upgrade_packages": ["kexec-tools"],
    "rolling_upgrade_reboot": "always",
    "fast_reboot_hooks": [
        {
            "name": "work",
            "drain": str(SCENARIO / "drain.yml"),
            "undrain": str(SCENARIO / "undrain.yml"),
        }
    ],
    **{
        name: f"{{{{ {value!r} if inventory_hostname == 'rolling-2' else omitted_{name} }}}}"
        for name, value in LOST.items()
    },
    "omitted_fast_reboot_cmdline_append": [],
    "omitted_fast_reboot_panic_timeout": 10,
    "omitted_fast_reboot_timeout": 600,
}


@dataclass(frozen=True)
class Campaign:
    """One run, and the third machine before it."""

    run: PlayRun
    third: State


@pytest.fixture(scope="module")
def campaign(inventory: str, machine: t.Callable[[int], Machine]) -> Campaign:
    third = machine(3).state()
    # With one fork, hosts of a batch reboot side by side all the same.
    run = run_playbook(ROLLING_UPGRADE, inventory, "--forks=1", variables=VARIABLES)
    return Campaign(run, third)


def test_first_host_is_upgraded_rebooted_and_undrained(
    campaign: Campaign, machine: t.Callable[[int], Machine]
) -> None:
    result = campaign.run.fact("fast_reboot_result", "rolling-1")
    assert (result["failed"], result["method"]) == (False, "kexec"), campaign.run.output
    assert result["rungs"] == [{"method": "kexec", "reason": None}]
    first = machine(1)
    assert first.boot_id() == result["boot_id"]["after"]
    assert not first.host.file(DRAINED).exists


def test_second_host_is_lost_and_stays_drained(campaign: Campaign) -> None:
    result = campaign.run.fact("fast_reboot_result", "rolling-2")
    assert (result["failed"], result["rebooted"]) == (True, None)
    assert (result["reason"]["code"], result["stage"]) == ("did_not_return", "down")
    assert result["drained"] == ["work"]


def test_both_hosts_left_before_one_was_waited_for(campaign: Campaign) -> None:
    order, wait = "Order the reboot", "Reboot the host"
    steps = [(task.task.rpartition("| ")[2], task.host) for task in campaign.run.tasks]
    assert [step for step in steps if step[0] in {order, wait}][-4:] == [
        (order, "rolling-1"),
        (order, "rolling-2"),
        (wait, "rolling-1"),
        (wait, "rolling-2"),
    ]


def test_third_host_is_not_touched(campaign: Campaign, machine: t.Callable[[int], Machine]) -> None:
    assert machine(3).state() == campaign.third
    # run_once leaves the brake to one host of its batch, which is this one alone.
    done = [task.task for task in campaign.run.tasks if task.host == "rolling-3"]
    assert len(done) == 2
    assert "Validating arguments" in done[0]
    assert done[1].endswith(BRAKE)


def test_campaign_ends_with_the_name_of_the_lost_host(campaign: Campaign) -> None:
    assert campaign.run.rc != 0
    brake = campaign.run.tasks[-1]
    assert (brake.host, brake.status) == ("rolling-3", "failed")
    assert "1 of 3 hosts were lost or are not well: rolling-2." in brake.result["msg"]
    assert "No task was run on the hosts of this batch (rolling-3)" in brake.result["msg"]

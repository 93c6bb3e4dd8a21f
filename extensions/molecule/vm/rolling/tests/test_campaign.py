# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upgrade of two hosts of which one is lost: the third one is left alone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import lab
from tests.plays import PlayRun, State, Supply, run_playbook

from .conftest import KIND, Host
from .variables import LOST, ROLLING_UPGRADE

SCENARIO = Path(__file__).parents[1]
DRAINED = "/etc/out-of-work"
BRAKE = "Stop when too many hosts are not well"
pytestmark = pytest.mark.xdist_group("campaign")


def variables(lost: str) -> dict[str, t.Any]:
    """What the campaign is told, with one host that does not come back."""
    return {
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
            name: f"{{{{ {value!r} if inventory_hostname == '{lost}' else omitted_{name} }}}}"
            for name, value in LOST.items()
        },
        "omitted_fast_reboot_cmdline_append": [],
        "omitted_fast_reboot_panic_timeout": 10,
        "omitted_fast_reboot_timeout": 600,
    }


@dataclass(frozen=True)
class Campaign:
    """One run, its three hosts, and the third one before and after it."""

    run: PlayRun
    hosts: tuple[Host, ...]
    third: tuple[State, State]

    @property
    def names(self) -> list[str]:
        return [host.name for host in self.hosts]


@pytest.fixture(scope="module")
def campaign(shared_machines: Supply, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    hosts = tuple(shared_machines.take(Host, KIND) for _number in range(3))
    inventory = tmp_path_factory.mktemp("campaign") / "inventory.yml"
    inventory.write_text(lab.render([lab.find(host.name) for host in hosts]))
    for host in hosts:
        assert host.module("kexec_preflight").result["able"]
    before = hosts[2].state()
    # With one fork, hosts of a batch reboot side by side all the same.
    told = {"rolling_upgrade_hosts": "all", **variables(lost=hosts[1].name)}
    run = run_playbook(ROLLING_UPGRADE, inventory, "--forks=1", variables=told)
    return Campaign(run, hosts, (before, hosts[2].state()))


def test_first_host_is_upgraded_rebooted_and_undrained(campaign: Campaign) -> None:
    first = campaign.hosts[0]
    result = campaign.run.reboot_of(first.name)
    assert (result["failed"], result["method"]) == (False, "kexec"), campaign.run.output
    assert result["rungs"] == [{"method": "kexec", "reason": None}]
    assert first.boot_id() == result["boot_id"]["after"]
    assert not first.host.file(DRAINED).exists


def test_second_host_is_lost_and_stays_drained(campaign: Campaign) -> None:
    result = campaign.run.reboot_of(campaign.names[1])
    assert (result["failed"], result["rebooted"]) == (True, None)
    assert (result["reason"]["code"], result["stage"]) == ("did_not_return", "down")
    assert result["drained"] == ["work"]


def test_both_hosts_left_before_one_was_waited_for(campaign: Campaign) -> None:
    first, second, _third = campaign.names
    steps = [(task.task.rpartition("| ")[2], task.host) for task in campaign.run.tasks]
    waits = [step for step in steps if step[0] == "Wait for the host"]
    last_order = max(steps.index(("Order the reboot", name)) for name in (first, second))
    assert steps.index(waits[0]) > last_order
    assert {host for _step, host in waits} == {first, second}


def test_third_host_is_not_touched(campaign: Campaign) -> None:
    before, after = campaign.third
    assert after == before
    # run_once leaves brake and table to one host of its batch, which is this one alone.
    done = [task.task for task in campaign.run.tasks if task.host == campaign.names[2]]
    assert [name.rpartition("| ")[2] for name in done] == [
        "Ask the host what it remembers",
        BRAKE,
        "Show what became of the hosts",
    ]


def test_campaign_ends_with_the_name_of_the_lost_host(campaign: Campaign) -> None:
    assert campaign.run.rc != 0
    _first, second, third = campaign.names
    brakes = [task for task in campaign.run.tasks if task.task.endswith(f"| {BRAKE}")]
    assert (brakes[-1].host, brakes[-1].status) == (third, "failed")
    said = brakes[-1].result["msg"]
    assert f"1 of 3 hosts failed, do not answer or are not well: {second}." in said
    assert f"No task was run on the hosts of this batch ({third})" in said

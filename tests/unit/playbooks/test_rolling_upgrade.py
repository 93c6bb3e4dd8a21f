# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rolling-upgrade.yml as a user runs it, with a host that is gone."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest

from tests.plays import PlayRun, TaskResult, run_playbook
from tests.plays.run import ROOT

ROLLING_UPGRADE = ROOT / "playbooks/rolling-upgrade.yml"
TIMEOUT = 120.0
BRAKE = "Stop when too many hosts are lost"
# Port 1 of the controller refuses. The Python of a host that is fine gives one answer to all modules:
# nothing stands against a reboot, none is needed, and nothing was upgraded. The controller itself
# is a host that must not be rebooted.
ANSWER = {"changed": False, "reasons": [], "facts": {"reboot_needed": False}}
INVENTORY = """
gone ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args=-oBatchMode=yes
fine ansible_connection=local ansible_python_interpreter={python}
me ansible_connection=local ansible_python_interpreter={controller}
"""
# Ansible itself ends a play when all hosts of a batch are lost.
BATCHES = {"rolling_upgrade_serial": [2, 1]}


class Campaign(t.Protocol):
    """Upgrades a host that is gone together with one that is fine, and then the controller."""

    def __call__(self, *options: str, **variables: t.Any) -> PlayRun: ...


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    inventory = tmp_path / "inventory"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{json.dumps(ANSWER)}'\n")
    python.chmod(0o755)
    inventory.write_text(INVENTORY.format(python=python, controller=sys.executable))

    def run(*options: str, **variables: t.Any) -> PlayRun:
        return run_playbook(
            ROLLING_UPGRADE,
            inventory,
            *options,
            variables={**BATCHES, **variables},
            timeout=TIMEOUT,
        )

    return run


def of_host(run: PlayRun, name: str) -> list[TaskResult]:
    return [task for task in run.tasks if task.host == name]


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_host_that_is_unreachable_stops_the_next_batch(
    campaign: Campaign, options: tuple[str, ...]
) -> None:
    run = campaign(*options)
    assert run.rc != 0
    assert of_host(run, "gone")[-1].status == "unreachable"
    assert of_host(run, "fine")[-1].status == "ok"
    brake = of_host(run, "me")[-1]
    assert (brake.task.rpartition("| ")[2], brake.status) == (BRAKE, "failed")
    assert "1 of 3 hosts were lost or are not well: gone." in brake.result["msg"]
    assert "(me)" in brake.result["msg"]


def test_budget_lets_the_play_go_on_to_a_host_that_must_not_be_rebooted(
    campaign: Campaign,
) -> None:
    run = campaign(rolling_upgrade_error_budget=1)
    refusal = of_host(run, "me")[-1]
    assert (run.rc != 0, refusal.status) == (True, "failed")
    assert refusal.result["msg"].startswith("The host was not upgraded. ")
    upgraded = [task.host for task in run.tasks if "Upgrade all packages" in task.task]
    assert upgraded == ["fine"]


def test_word_that_is_not_known_is_refused_first(campaign: Campaign) -> None:
    run = campaign(rolling_upgrade_reboot="sometimes", rolling_upgrade_hosts="me")
    refusal = of_host(run, "me")[-1]
    assert "value of rolling_upgrade_reboot must be one of" in refusal.result["msg"]

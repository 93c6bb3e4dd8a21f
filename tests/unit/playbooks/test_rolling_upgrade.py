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
TABLE = "Show what became of the hosts"
BRAKE = "Stop when too many hosts are not well"
# Port 1 of the controller refuses. The Python of a host that is fine gives one answer to all modules:
# nothing stands against a reboot, none is needed, and nothing was upgraded. The controller itself
# is a host that must not be rebooted.
ANSWER = {"changed": False, "reasons": [], "facts": {"reboot_needed": False}}
INVENTORY = """
gone ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args=-oBatchMode=yes
fine {by_ssh} ansible_python_interpreter={python}
me {by_ssh} ansible_python_interpreter={controller}
"""
# Ansible itself ends a play when all hosts of a batch are lost.
NAMED = {"rolling_upgrade_serial": "2,1", "rolling_upgrade_hosts": "all"}


class Campaign(t.Protocol):
    """Upgrades a host that is gone together with one that is fine, and then the controller."""

    def __call__(self, *options: str, **variables: t.Any) -> PlayRun: ...


@pytest.fixture
def campaign(tmp_path: Path, by_ssh: str) -> Campaign:
    inventory = tmp_path / "inventory"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{json.dumps(ANSWER)}'\n")
    python.chmod(0o755)
    inventory.write_text(INVENTORY.format(by_ssh=by_ssh, python=python, controller=sys.executable))

    def run(*options: str, **variables: t.Any) -> PlayRun:
        given = {**NAMED, **variables}
        return run_playbook(
            ROLLING_UPGRADE,
            inventory,
            *options,
            variables={name: value for name, value in given.items() if value is not None},
            timeout=TIMEOUT,
        )

    return run


def of_host(run: PlayRun, name: str) -> list[TaskResult]:
    return [task for task in run.tasks if task.host == name]


def failed(run: PlayRun, name: str) -> TaskResult:
    return [task for task in of_host(run, name) if task.status == "failed"][-1]


def shown(run: PlayRun) -> list[str]:
    """The last table."""
    tables = [task.result["msg"] for task in run.tasks if task.task == TABLE]
    return t.cast("list[str]", [each for each in tables if isinstance(each, list)][-1])


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_host_that_does_not_answer_stops_the_play_before_the_first_batch(
    campaign: Campaign, options: tuple[str, ...]
) -> None:
    run = campaign(*options)
    assert run.rc != 0
    brake = [task for task in run.tasks if task.task.endswith(f"| {BRAKE}")]
    assert [(task.host, task.status) for task in brake] == [("gone", "failed")]
    assert "1 of 3 hosts failed, do not answer or are not well: gone." in brake[0].result["msg"]
    assert "(gone, fine)" in brake[0].result["msg"]
    assert not any("Check the host" in task.task for task in run.tasks)
    assert shown(run)[1].split()[:2] == ["gone", "failed"]
    assert shown(run)[-1] == "hosts 3: done 0, failed 1, away 0, waiting 2"


def test_budget_lets_the_play_go_on_to_a_host_that_must_not_be_rebooted(
    campaign: Campaign,
) -> None:
    run = campaign(rolling_upgrade_error_budget=1)
    refusal = failed(run, "me")
    assert run.rc != 0
    assert refusal.result["msg"].startswith("The host was not upgraded. ")
    upgraded = [task.host for task in run.tasks if "Upgrade all packages" in task.task]
    assert upgraded == ["fine"]
    assert [line.split()[:2] for line in shown(run)[1:4]] == [
        ["gone", "failed"],
        ["fine", "done"],
        ["me", "failed"],
    ]
    assert "The host was not upgraded." in shown(run)[3]
    assert shown(run)[-1] == "hosts 3: done 1, failed 2, away 0, waiting 0"


def test_word_that_is_not_known_is_refused_first(campaign: Campaign) -> None:
    run = campaign(rolling_upgrade_reboot="sometimes", rolling_upgrade_hosts="me")
    refusal = failed(run, "me")
    assert "value of rolling_upgrade_reboot must be one of" in refusal.result["msg"]


@pytest.mark.parametrize("serial", [0, "", [], "0.5", "1,0"])
def test_sizes_that_would_be_the_whole_fleet_end_the_play_before_a_host_is_asked(
    campaign: Campaign, serial: t.Any
) -> None:
    run = campaign(rolling_upgrade_serial=serial)
    assert run.rc != 0
    assert {task.status for task in run.tasks} == {"failed"}
    assert "must be numbers of hosts, 1 or more" in " ".join(run.output.split())
    assert "Traceback" not in run.output


def test_hosts_that_nobody_has_named_are_left_alone(campaign: Campaign) -> None:
    run = campaign(rolling_upgrade_hosts=None, rolling_upgrade_host="fine")
    assert {task.status for task in run.tasks} == {"failed"}
    assert "it would be all 3 of the inventory" in run.tasks[0].result["msg"]


def test_report_is_a_file_for_programs(campaign: Campaign, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    names = {"rolling_upgrade_hosts": "fine:gone", "rolling_upgrade_error_budget": "50%"}
    campaign(rolling_upgrade_output=str(path), **names)
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["summary"] == {"hosts": 2, "done": 1, "failed": 1, "away": 0, "waiting": 0}
    assert {each["host"]: each["outcome"] for each in report["hosts"]} == {
        "fine": "done",
        "gone": "failed",
    }

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook kernel-upgrade.yml as a user runs it, with a host that is gone."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from tests.plays import PlayRun, run_playbook
from tests.plays.run import ROOT

KERNEL_UPGRADE = ROOT / "playbooks/kernel-upgrade.yml"
TIMEOUT = 120.0
TABLE = "Show what became of the hosts"
# The Python of a host gives one answer to all modules: nothing stands against kexec, no trial is on, and what apk has
# is a build that was refused.
ANSWER = {
    "changed": False,
    "reasons": [],
    "facts": {"reboot_needed": False},
    "state": "none",
    "next": "nothing",
    "good": "old",
    "candidate": {"id": "new", "differs": True, "refused": {"cause": "panic"}},
}
INVENTORY = """
gone ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args=-oBatchMode=yes
fine {by_ssh} ansible_python_interpreter={python}
"""


def campaign(folder: Path, by_ssh: str, *options: str, **variables: t.Any) -> PlayRun:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{json.dumps(ANSWER)}'\n")
    python.chmod(0o755)
    inventory = folder / "inventory"
    inventory.write_text(INVENTORY.format(by_ssh=by_ssh, python=python))
    return run_playbook(KERNEL_UPGRADE, inventory, *options, variables=variables, timeout=TIMEOUT)


def shown(run: PlayRun) -> list[str]:
    tables = [task.result["msg"] for task in run.tasks if task.task == TABLE]
    return t.cast("list[str]", [each for each in tables if isinstance(each, list)][-1])


def test_report_tells_of_a_host_that_keeps_its_kernel_why(tmp_path: Path, by_ssh: str) -> None:
    path = tmp_path / "report.json"
    given = {"kernel_upgrade_hosts": "fine:gone", "kernel_upgrade_serial": 2}
    run = campaign(
        tmp_path, by_ssh, kernel_upgrade_error_budget=1, kernel_upgrade_output=str(path), **given
    )
    table = "\n".join(shown(run))
    assert "build_refused: The build new was tried" in table, run.output
    (fine, gone) = json.loads(path.read_text(encoding="utf-8"))["hosts"]
    assert (fine["host"], fine["outcome"], fine["reason"]) == ("fine", "done", "build_refused")
    assert (fine["cause"], gone["outcome"]) == (None, "failed")


def test_hosts_that_nobody_has_named_are_left_alone(tmp_path: Path, by_ssh: str) -> None:
    run = campaign(tmp_path, by_ssh, kernel_upgrade_host="fine")
    assert {task.status for task in run.tasks} == {"failed"}
    assert "it would be all 2 of the inventory" in run.tasks[0].result["msg"]


def test_variable_that_is_none_is_refused_before_a_host_is_asked(
    tmp_path: Path, by_ssh: str
) -> None:
    given = {"kernel_upgrade_hosts": "fine", "kernel_upgrade_deadlin": 700}
    run = campaign(tmp_path, by_ssh, **given)
    assert run.rc != 0
    assert "There is no variable kernel_upgrade_deadlin" in " ".join(run.output.split())

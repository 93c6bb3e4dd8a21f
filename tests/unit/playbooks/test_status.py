# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook status.yml as a user runs it, with a host that is gone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.plays import PlayRun, run_playbook
from tests.plays.run import ROOT

# Port 1 of the controller refuses, and the controller itself is asked nothing.
INVENTORY = """
gone ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args=-oBatchMode=yes
me ansible_connection=local
new {by_ssh}
"""


def status(folder: Path, by_ssh: str, **variables: str) -> PlayRun:
    inventory = folder / "inventory"
    inventory.write_text(INVENTORY.format(by_ssh=by_ssh))
    return run_playbook(ROOT / "playbooks/status.yml", inventory, variables=variables, timeout=120)


def test_hosts_are_shown_also_those_that_do_not_answer(tmp_path: Path, by_ssh: str) -> None:
    report = tmp_path / "status.json"
    run = status(tmp_path, by_ssh, status_output=str(report))
    assert run.rc == 0, run.output
    shown = run.task("Show what they remember").result["msg"]
    assert shown[1].split()[:2] == ["gone", "no_answer"]
    assert "hosts 3: nothing 1, something 0, no_answer 2" in shown
    assert "The connection of this task leads to the controller itself." in run.output
    hosts = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert [(each["host"], each["remembers"]) for each in hosts] == [
        ("gone", "no_answer"),
        ("me", "no_answer"),
        ("new", "nothing"),
    ]
    assert run.changed == []

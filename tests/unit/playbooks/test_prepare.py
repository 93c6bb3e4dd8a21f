# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""prepare.yml as a user runs it: on a host without Python, and on several that it has to reboot."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    ABLE,
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun, run_playbook
from tests.plays.run import ROOT

ROLE = "alpinefleet.kexec.kexec_host"
TIMEOUT = 120.0


def test_host_without_python_leaves_the_play_in_check_mode(
    tmp_path: Path, by_ssh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = tmp_path / "inventory"
    inventory.write_text(f"bare {by_ssh}\n")
    # A shell looks for Python there, and the programs of this controller have absolute paths.
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("sh", "head"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if name == "sh" else f"/usr/bin/{name}")
    run = run_playbook(
        ROOT / "playbooks/prepare.yml", inventory, "--check", "--limit=bare", timeout=TIMEOUT
    )
    assert run.rc == 0, run.output
    (said,) = run.changed
    assert said.task == f"{ROLE} : bootstrap | Say what is missing"
    assert said.result["msg"].startswith("Python would be installed on the host;")
    # Nothing comes after that, and nothing was installed.
    assert run.tasks[-1] == said
    assert {task.status for task in run.tasks} == {"ok"}


# --- Hosts that are rebooted ----------------------------------------------------------------

COMMON = {
    "kexec_host_state": "absent",
    "kexec_host_reboot_allowed": True,
    # A lost host is waited for once or twice.
    "kexec_host_reboot_timeout": 1,
    "fast_reboot_health_services": False,
}
HOSTS = {
    "web1": {"script": {**SCRIPT, "wait": GONE}},
    "web2": {"script": SCRIPT},
    "web3": {"script": SCRIPT},
}
TABLE = "Show what became of the hosts"


def prepare(folder: Path, **variables: t.Any) -> PlayRun:
    """The playbook on three hosts, of which the first one is lost in its reboot."""
    files = {
        "playbook.yml": [{"import_playbook": str(ROOT / "playbooks/prepare.yml")}],
        **{
            f"{name}.yml": [task(name, "debug", changed_when=True)] for name in ("drain", "undrain")
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    hook = {"name": "hook"} | {name: str(folder / f"{name}.yml") for name in ("drain", "undrain")}
    by_module = {
        "ansible_python_interpreter": str(python_that_answers(folder / "python", **ABLE)),
        "fast_reboot_hooks": [hook],
    }
    given = f"--extra-vars={json.dumps(variables)}"
    return run_scripted(folder, HOSTS, {**COMMON, **by_module}, given)


def done(run: PlayRun, host: str) -> list[str]:
    """What was done to a host, by the last words of the names of tasks."""
    names = [each.task.rpartition(" : ")[2] for each in run.tasks if each.host == host]
    return [name.rpartition(" | ")[2] for name in names]


def outcomes(run: PlayRun) -> list[list[str]]:
    tables = [each.result["msg"] for each in run.tasks if each.task == TABLE]
    found = [each for each in tables if isinstance(each, list) and len(each) > 1]
    return [line.split()[:2] for line in found[-1][1:-2]] if found else []


def test_hosts_that_nobody_has_named_are_not_rebooted(tmp_path: Path) -> None:
    run = prepare(tmp_path, prepare_host="web2")
    assert run.rc != 0
    assert [each.status for each in run.tasks] == ["failed"]
    assert "it would be all 3 of the inventory" in run.tasks[0].result["msg"]


def test_batch_after_a_lost_host_is_not_touched(tmp_path: Path) -> None:
    run = prepare(tmp_path, prepare_hosts="all", prepare_serial="2,1")
    assert run.rc != 0
    assert outcomes(run) == [["web1", "failed"], ["web2", "done"]], run.output
    # Each with its hooks; the one that is lost stays drained.
    hooks = [[name for name in done(run, host) if name in ("drain", "undrain")] for host in HOSTS]
    assert hooks == [["drain"], ["drain", "undrain"], []]
    assert "Install Python" not in " ".join(done(run, "web3"))
    # Nothing but the brake, which counts the batch as failed, and the table after it.
    assert done(run, "web3")[-2:] == ["Stop when too many hosts are not well", TABLE]
    assert "1 of 3 hosts failed, do not answer or are not well: web1." in run.output


def test_budget_and_batches_are_those_of_the_playbook(tmp_path: Path) -> None:
    wanted = {"prepare_serial": [2, 1], "prepare_error_budget": "40%"}
    run = prepare(tmp_path, prepare_hosts="all", **wanted)
    assert outcomes(run) == [["web1", "failed"], ["web2", "done"], ["web3", "done"]], run.output
    turns = [each.host for each in run.tasks if each.task.endswith("Order the reboot")]
    assert (sorted(turns[:2]), turns[2:]) == (["web1", "web2"], ["web3"])
    undrained = [each.host for each in run.tasks if each.task.endswith("undrain")]
    # Not before the batch before is through.
    assert undrained == ["web2", "web3"]
    orders = [
        place for place, each in enumerate(run.tasks) if each.task.endswith("Order the reboot")
    ]
    through = [place for place, each in enumerate(run.tasks) if each.task.endswith("undrain")]
    assert through[0] < orders[2]

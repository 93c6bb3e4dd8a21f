# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit.yml as a user runs it, on hosts of which none is able."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest

from tests.plays import run_playbook
from tests.plays.run import ROOT, PlayRun

AUDIT = ROOT / "playbooks/audit.yml"
TIMEOUT = 120.0
TABLE = "Report"

# Port 1 of the controller refuses; a key or a password must not be asked for.
GONE = "ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args=-oBatchMode=yes"


class Audit(t.Protocol):
    """Runs the audit on hosts, given as lines of an inventory."""

    def __call__(self, *hosts: str, options: t.Sequence[str] = (), **variables: str) -> PlayRun: ...


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    inventory = tmp_path / "inventory"

    def run(*hosts: str, options: t.Sequence[str] = (), **variables: str) -> PlayRun:
        inventory.write_text("\n".join([*hosts, ""]))
        return run_playbook(AUDIT, inventory, *options, variables=variables, timeout=TIMEOUT)

    return run


def local(name: str, python: str | Path = sys.executable) -> str:
    return f"{name} ansible_connection=local ansible_python_interpreter={python}"


def liar(folder: Path, **answer: t.Any) -> str:
    """Return a host whose Python answers any module alike."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    python.chmod(0o755)
    return local("liar", python)


def test_every_host_is_in_the_table_and_in_the_report(audit: Audit, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    # In check mode and for a part of the inventory, as a careful user would.
    run = audit(
        local("me"),
        f"gone {GONE}",
        local("bare", tmp_path / "no-python"),
        "other",
        options=["--check", "--limit=!other"],
        audit_output=str(output),
    )
    assert run.rc == 0, run.output
    report = json.loads(output.read_text())
    assert (report["version"], report["summary"]["hosts"], report["summary"]["kexec"]) == (1, 3, 0)
    hosts = {host["host"]: host for host in report["hosts"]}
    assert list(hosts) == ["bare", "gone", "me"]
    assert (hosts["gone"]["verdict"], hosts["bare"]["verdict"]) == ("unreachable", "failed")
    assert hosts["me"]["verdict"] == "refused"
    codes = {name: [each["code"] for each in host["reasons"]] for name, host in hosts.items()}
    assert (codes["gone"], codes["bare"]) == (["host_unreachable"], ["no_python"])
    assert "target_is_controller" in codes["me"]
    lines = run.task(TABLE).result["msg"]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["bare", "failed"],
        ["gone", "unreachable"],
        ["me", "refused"],
    ]
    assert any(line.startswith("no_python") for line in lines[5:])
    assert lines[-1] == f"The report is in {output}."
    assert "changed=1" not in run.output


def test_strict_audit_fails_after_the_table_and_no_host_chooses_a_file(
    audit: Audit, tmp_path: Path
) -> None:
    chosen = tmp_path / "chosen-by-the-host.json"
    wanted = {"audit_output": str(chosen), "audit_report": {}, "audit_strict": False}
    run = audit(liar(tmp_path, able="yes", ansible_facts=wanted), audit_strict="true")
    assert run.rc != 0
    shown = run.task(TABLE)
    assert shown.status == "failed"
    assert shown.result["msg"].startswith("0 of 1 hosts can reboot through kexec now. Do what")
    assert shown.result["table"][1].split()[:2] == ["liar", "failed"]
    # People see it line by line, whatever else Ansible shows of a task that failed.
    assert sum("liar" in line for line in run.output.splitlines() if "failed" in line) > 0
    assert "answer_invalid" in run.output
    assert not chosen.exists()


def test_host_that_spoke_before_is_left_out_and_chooses_no_file(tmp_path: Path) -> None:
    chosen = tmp_path / "chosen-by-the-host.json"
    # The report is made with the variables of the first host.
    said = {"audit_output": str(chosen), "audit_strict": True, "audit_timeout": -1}
    before = {"hosts": "liar", "gather_facts": False, "tasks": [{"ansible.builtin.ping": None}]}
    playbook, inventory = tmp_path / "playbook.yml", tmp_path / "inventory"
    playbook.write_text(json.dumps([before, {"import_playbook": str(AUDIT)}]))
    inventory.write_text(f"{liar(tmp_path, ansible_facts=said)}\n{local('other')}\n")
    # A fact that is taken for a variable is what this is about.
    deprecated = ["INJECT_FACTS_AS_VARS"]
    run = run_playbook(playbook, inventory, timeout=TIMEOUT, deprecated=deprecated)
    assert run.rc != 0
    rows = [line.split()[:2] for line in run.task(TABLE).result["msg"][1:3]]
    assert rows == [["liar", "failed"], ["other", "refused"]]
    assert "audit_output, audit_strict, audit_timeout" in run.output
    assert not chosen.exists()


def test_host_that_says_names_of_functions_spoils_no_report(audit: Audit, tmp_path: Path) -> None:
    functions = dict.fromkeys(["dict", "zip", "lookup", "omit", "range"], "said")
    run = audit(liar(tmp_path, able="yes", ansible_facts=functions))
    assert (run.rc, run.task(TABLE).result["msg"][1].split()[0]) == (0, "liar"), run.output


def test_audit_that_cannot_be_written_asks_nobody(audit: Audit, tmp_path: Path) -> None:
    run = audit(local("me"), local("other"), audit_output=str(tmp_path / "no/such.json"))
    assert run.rc != 0
    assert "it must be a file in a folder that is there" in run.output
    assert "Look at the host" not in run.output

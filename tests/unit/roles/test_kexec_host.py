# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kexec_host in its endings, on hosts that answer each module alike: what people are told."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    ABLE,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun, TaskResult

# One worker for all of them, and one play.
pytestmark = pytest.mark.xdist_group("kexec_host")


def reason(code: str, blocks: str) -> dict[str, str]:
    return {"code": code, "message": f"It is {code}.", "remedy": f"Mend {code}.", "blocks": blocks}


HARD = {"path": "/etc/sysctl.d/99-hard.conf", "line": 3, "value": "1"}
WHY = "A reboot through kexec is not possible: /boot/vmlinuz-virt is missing or empty."
ANSWERS: dict[str, dict[str, t.Any]] = {
    "able": ABLE,
    # A module of which Ansible takes the status for a failure says that it is none.
    "loads-nothing": {
        **ABLE,
        "failed": False,
        "rc": 1,
        "stderr": f" * {WHY}\n",
        "stdout": "checking\n",
    },
    "locked": {**ABLE, "reasons": [reason("kexec_locked", "kexec")]},
    "in-a-container": {**ABLE, "reasons": [reason("container", "reboot")]},
    "with-a-stranger": {**ABLE, "stat": {**ABLE["stat"], "lnk_target": "/usr/bin/other"}},
    "hardened": {**ABLE, "facts": {**ABLE["facts"], "lock_settings": [HARD]}},
    "too-small": {**ABLE, "reasons": [reason("memory_low", "kexec")]},
    "taken-back": ABLE,
    "not-as-before": {
        **ABLE,
        "facts": {**ABLE["facts"], "kexec_load_disabled": True},
        "left": ["kexec-tools was installed."],
    },
    "broken": {"failed": True, "msg": "It is broken.", "module_stderr": "OSError: no space\n"},
}
VARIABLES: dict[str, dict[str, t.Any]] = {
    "with-a-stranger": {"kexec_host_mode": "every_reboot"},
    "hardened": {"kexec_host_remove_lock": True},
    "taken-back": {"kexec_host_state": "absent"},
    "not-as-before": {"kexec_host_state": "absent"},
}
PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "tasks": [
        {
            "block": [
                task("Run", "include_role", arguments={"name": "alpinefleet.kexec.kexec_host"})
            ],
            "always": [
                {
                    "name": "Report",
                    "alpinefleet.kexec.fleet_step": {"step": "report", "of_role": "kexec_host"},
                    "run_once": True,
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = tmp_path_factory.mktemp("kexec_host")
    (folder / "playbook.yml").write_text(json.dumps([PLAY]))
    hosts = {
        name: {
            **VARIABLES.get(name, {}),
            "ansible_python_interpreter": str(python_of(folder, name, answer)),
        }
        for name, answer in ANSWERS.items()
    }
    return run_scripted(folder, hosts, {})


def python_of(folder: Path, name: str, answer: dict[str, t.Any]) -> Path:
    (folder / name).mkdir()
    return python_that_answers(folder / name / "python", **answer)


def tasks_of(run: PlayRun, host: str) -> dict[str, TaskResult]:
    """The tasks that were run on a host, by their names without those of role and file."""
    found = [each for each in run.tasks if each.host == host]
    return {each.task.rpartition(" : ")[2]: each for each in found}


def ending(run: PlayRun, host: str) -> dict[str, t.Any]:
    return tasks_of(run, host)["end | Fail where it failed"].result


def row(run: PlayRun, host: str) -> str:
    table = t.cast("list[str]", run.task("Report").result["msg"])
    return next(line for line in table if line.split()[:1] == [host])


@pytest.mark.parametrize(
    ("host", "required"),
    [("able", False), ("locked", True), ("hardened", False), ("taken-back", True)],
)
def test_host_is_done_and_says_whether_a_boot_is_missing(
    run: PlayRun, host: str, required: bool
) -> None:
    found = ending(run, host)
    assert (found["done"], found["reboot_required"]) == (True, required), run.output
    assert row(run, host).split()[:2] == [host, "done"]
    said = tasks_of(run, host).get("reboot | Say that a reboot is needed")
    assert (said is not None) is required
    assert said is None or "Reboot it, or run the role again" in said.result["msg"]


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("loads-nothing", f"The service kexec-load would load nothing: {WHY} See to that"),
        ("in-a-container", "It is container. Mend container."),
        ("with-a-stranger", "/sbin/reboot is not busybox's"),
        ("too-small", "It is memory_low. Mend memory_low."),
        ("not-as-before", "kexec-tools was installed. Put it back by hand."),
        (
            "broken",
            "The task check | Look at the command reboot failed: It is broken.: OSError: no space. Mend",
        ),
    ],
)
def test_host_fails_with_what_is_wrong_in_the_message_and_in_the_table(
    run: PlayRun, host: str, message: str
) -> None:
    found = ending(run, host)
    assert (found["done"], found["msg"].startswith(message)) == (False, True), found
    assert row(run, host).split()[:2] == [host, "failed"]
    assert message in row(run, host)


@pytest.mark.parametrize("host", ["in-a-container", "with-a-stranger"])
def test_host_that_is_refused_keeps_nothing_and_gets_no_package(run: PlayRun, host: str) -> None:
    done = tasks_of(run, host)
    assert "check | Refuse a host that cannot be made able" in done
    assert not {
        "present | Have the host keep what it was like",
        "install | Install kexec-tools",
    } & set(done)


def test_lines_are_edited_by_their_numbers(run: PlayRun) -> None:
    (item,) = tasks_of(run, "hardened")["unlock | Comment out lines that lock kexec again"].result[
        "results"
    ]
    assert item["item"] == {
        "path": HARD["path"],
        "regexp": r"\A((?:[^\n]*\n){2})(?=[^\n]*kexec_load_disabled)",
        "replace": r"\g<1># alpinefleet.kexec: ",
    }


def test_what_was_there_is_brought_back_and_what_was_not_is_removed(run: PlayRun) -> None:
    done = tasks_of(run, "taken-back")
    # While a boot is missing that it may not make, the host forgets nothing.
    assert "forget | Compare with what the host was like" not in done
    restored = "absent | Put back the parameters in the boot loader's configuration"
    (item,) = done[restored].result["results"]
    assert item["item"] == {"state": "absent", "parameters": [{"name": "kexec_load_disabled"}]}
    # It was there before the role.
    assert "absent | Remove kexec-tools" not in done

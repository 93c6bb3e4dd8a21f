# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a play says of errors, and its handlers, around the roles."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import BOOT_ID, GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun

pytestmark = pytest.mark.xdist_group("errors")

IGNORED: dict[str, t.Any] = {"ignore_errors": True}
CHANGED = {"changed_when": True}
HOOK = {"name": "hook", "drain": "drain.yml", "undrain": "undrain.yml"}
FILES = {
    "drain.yml": [
        task("Drain", "debug", **CHANGED),
        task("Notify", "debug", changed_when="'hook' in fails", notify="Reload"),
        task("Finish", "debug", failed_when="'late' in fails"),
    ],
    "undrain.yml": [task("Undrain", "debug", **CHANGED)],
}
COMMON = {
    "script": SCRIPT,
    "fails": [],
    "fast_reboot_health_services": False,
    # A turn of the wait is the last one.
    "fast_reboot_timeout": 0.01,
}
LOST: dict[str, t.Any] = {"script": {**SCRIPT, "wait": GONE}, "fast_reboot_hooks": [HOOK]}
WELL: dict[str, t.Any] = {"fast_reboot_hooks": [HOOK]}
# Roles that ask modules first.
ABLE = ("kernel_upgrade", "kexec_host", "rolling_upgrade")
CUT_OFF = {**SCRIPT, "order": {"unreachable": True, "msg": "cut off"}}


def role(name: str = "fast_reboot", apply: t.Any = None, **rest: t.Any) -> dict[str, t.Any]:
    arguments = {"name": f"alpinefleet.kexec.{name}", **({"apply": apply} if apply else {})}
    return task("Run", "include_role", arguments=arguments, **rest)


def play(hosts: str, *tasks: dict[str, t.Any], **rest: t.Any) -> dict[str, t.Any]:
    """Return a play that goes on after its tasks.

    It has a host that does nothing: Ansible ends all plays with one that has lost its hosts.
    """
    ended = task("End", "meta", arguments="end_host", when="inventory_hostname == 'idle'")
    tasks = (ended, *tasks, task("Go on", "debug"))
    return {"hosts": f"{hosts},idle", "gather_facts": False, "tasks": list(tasks), **rest}


BRAKE = task(
    "Brake",
    "include_role",
    arguments={"name": "alpinefleet.kexec.fast_reboot", "tasks_from": "brake"},
)
# The last one is told by the role that it was lost, and answers nothing more.
HANDLERS = [
    {
        "name": "Make the initramfs",
        "alpinefleet.kexec.say": {
            "unreachable": "{{ fast_reboot_result is defined and fast_reboot_result.stage == 'down' }}",
            "failed": "{{ 'handler' in fails }}",
            "msg": "no space",
        },
    },
    task("Reload", "fail", arguments={"msg": "no balancer"}),
]
PENDING = task("Upgrade", "debug", notify="Make the initramfs", **CHANGED)

PLAYS = [
    play("around-the-play", role(), ignore_errors=True),
    play("around-the-role", role(ignore_errors=True)),
    play("applied-to-the-role", role(apply=IGNORED, ignore_errors=True)),
    play("around-kexec_host", role("kexec_host"), ignore_errors=True),
    play("around-kernel_upgrade", role("kernel_upgrade"), ignore_errors=True),
    play("around-rolling_upgrade", role("rolling_upgrade"), ignore_errors=True),
    play("cut-off*", role(), ignore_unreachable=True),
    play("pending-*", PENDING, role(), handlers=HANDLERS),
    play("notified-*", role(), handlers=HANDLERS),
    play(
        "rescued,untouched",
        BRAKE,
        {"block": [role()], "rescue": [task("Rescue", "debug")]},
        serial=1,
        ignore_errors=True,
    ),
]


def write(folder: Path, plays: list[dict[str, t.Any]]) -> Path:
    for name, tasks in {**FILES, "playbook.yml": plays}.items():
        (folder / name).write_text(json.dumps(tasks))
    return folder


def hosts(folder: Path) -> dict[str, dict[str, t.Any]]:
    broken = python_that_answers(folder / "python", failed=True, msg="It is broken.")
    by_module = {"ansible_python_interpreter": str(broken)}
    return {
        "idle": {},
        **dict.fromkeys(["around-the-play", "around-the-role", "applied-to-the-role"], LOST),
        **{f"around-{name}": by_module for name in ABLE},
        "cut-off": {"script": CUT_OFF},
        "cut-off-drained": {**WELL, "script": CUT_OFF},
        "pending-lost": LOST,
        "pending-fails": {**WELL, "fails": ["handler"]},
        "notified-fails": {**WELL, "fails": ["hook"]},
        "notified-late": {**WELL, "fails": ["hook", "late"]},
        "rescued": LOST,
        "untouched": WELL,
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = write(tmp_path_factory.mktemp("errors"), PLAYS)
    return run_scripted(folder, hosts(folder), COMMON)


def tasks_of(run: PlayRun, host: str) -> list[str]:
    """Return the tasks of a host that were run, without the name of their role."""
    return [each.task.rpartition(" : ")[2] for each in run.tasks if each.host == host]


def told(run: PlayRun, host: str) -> dict[str, t.Any]:
    return run.reboot_of(host)


def counts(run: PlayRun, host: str) -> dict[str, int]:
    """Return what Ansible counted for a host."""
    (line,) = re.findall(rf"^{host} +: (.*)$", run.output, re.MULTILINE)
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}


@pytest.mark.parametrize("host", ["around-the-play", "around-the-role", "applied-to-the-role"])
def test_error_that_the_play_ignores_leaves_a_lost_host_failed_and_drained(
    run: PlayRun, host: str
) -> None:
    found = told(run, host)
    assert (found["failed"], found["reason"]["code"]) == (True, "did_not_return")
    assert found["drained"] == ["hook"]
    assert not {"Undrain", "Go on"} & set(tasks_of(run, host))
    assert (counts(run, host)["failed"], counts(run, host)["ignored"]) == (1, 0)
    assert run.rc != 0


@pytest.mark.parametrize("host", [f"around-{name}" for name in ABLE])
def test_error_that_the_play_ignores_ends_the_other_roles(run: PlayRun, host: str) -> None:
    # A host that cannot say whether a trial is on is let be by the role itself.
    ignored = int(host == "around-kernel_upgrade")
    assert (counts(run, host)["failed"], counts(run, host)["ignored"]) == (1, ignored)
    last = [each for each in run.tasks if each.host == host][-1]
    assert last.status == "failed"
    # What it failed by, and what to do about it.
    assert re.fullmatch(r"The .*: It is broken\. (Mend that|The host needs).*", last.result["msg"])


def test_host_that_the_play_lets_be_unreachable_is_unreachable(run: PlayRun) -> None:
    assert (counts(run, "cut-off")["unreachable"], counts(run, "cut-off")["ignored"]) == (1, 0)
    assert "Go on" not in tasks_of(run, "cut-off")


def test_host_that_is_cut_off_when_it_is_drained_is_undrained_and_fails(run: PlayRun) -> None:
    host = "cut-off-drained"
    assert (counts(run, host)["unreachable"], counts(run, host)["failed"]) == (0, 1)
    found = told(run, host)
    assert (found["reason"]["code"], found["stage"]) == ("task_failed", "trigger")
    assert (found["rebooted"], found["drained"]) == (False, [])
    assert "cut off" in found["reason"]["message"]
    assert tasks_of(run, host).count("Undrain") == 1


def test_brake_holds_where_the_play_ignores_errors(run: PlayRun) -> None:
    assert tasks_of(run, "untouched")[-1:] == ["brake | Stop when too many hosts are not well"]


def test_pending_handler_is_run_before_the_host_is_lost(run: PlayRun) -> None:
    tasks = tasks_of(run, "pending-lost")
    assert tasks.index("Make the initramfs") < tasks.index("Drain")
    assert (counts(run, "pending-lost")["failed"], counts(run, "pending-lost")["unreachable"]) == (
        1,
        0,
    )
    found = told(run, "pending-lost")
    assert (found["reason"]["code"], found["drained"]) == ("did_not_return", ["hook"])


def test_pending_handler_that_fails_leaves_the_host_untouched(run: PlayRun) -> None:
    found = told(run, "pending-fails")
    assert (found["reason"]["code"], found["stage"]) == ("handler_failed", "preflight")
    assert (found["rebooted"], found["drained"]) == (False, [])
    assert "Make the initramfs: no space" in found["reason"]["message"]
    assert not {"Drain", "Order the reboot"} & set(tasks_of(run, "pending-fails"))


@pytest.mark.parametrize(
    ("host", "message"), [("notified-fails", "Reload: no balancer"), ("notified-late", "Finish: ")]
)
def test_handler_of_a_hook_that_fails_is_the_hook_s_failure(
    run: PlayRun, host: str, message: str
) -> None:
    found = told(run, host)
    assert (found["reason"]["code"], found["stage"]) == ("drain_failed", "drain")
    assert message in found["reason"]["message"]
    assert (found["rebooted"], found["drained"]) == (False, [])
    assert tasks_of(run, host).count("Undrain") == 1


def test_pending_handler_is_run_in_check_mode(tmp_path: Path) -> None:
    folder = write(tmp_path, [play("pending", PENDING, role(), handlers=HANDLERS)])
    run = run_scripted(folder, {"pending": WELL}, COMMON, "--check")
    tasks = tasks_of(run, "pending")
    assert (run.rc, told(run, "pending")["failed"]) == (0, False), run.output
    assert tasks.index("Make the initramfs") < tasks.index("Drain")
    assert tasks.count("Make the initramfs") == 1


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("fast_reboot", {"any_errors_fatal": True}),
        ("rolling_upgrade", {"any_errors_fatal": True}),
        ("fast_reboot", {"max_fail_percentage": 0}),
    ],
    ids=["any error", "any error, after an upgrade", "percentage"],
)
def test_lost_host_leaves_no_other_one_half_way(
    tmp_path: Path, name: str, keyword: dict[str, t.Any]
) -> None:
    content = base64.b64encode(BOOT_ID.encode()).decode()
    answer = {"changed": False, "reasons": [], "facts": {"reboot_needed": True}, "content": content}
    python = python_that_answers(tmp_path / "python", **answer)
    by_module = {"ansible_python_interpreter": str(python)}
    folder = write(tmp_path, [play("all", role(name), serial=3, **keyword)])
    gone = {**GONE, "rebooted": False, "stage": "preflight"}
    refused: dict[str, t.Any] = {"script": {**SCRIPT, "predict": gone}}
    cases: dict[str, dict[str, t.Any]] = {
        "lost": LOST,
        "well": WELL,
        "refused": {**WELL, **refused},
        "next": WELL,
    }
    run = run_scripted(
        folder, {each: {**case, **by_module} for each, case in cases.items()}, COMMON
    )
    assert told(run, "well")["failed"] is False
    assert (told(run, "well")["rebooted"], told(run, "well")["drained"]) == (True, [])
    assert told(run, "lost")["drained"] == ["hook"]
    # As the play has it, nothing comes after the batch.
    assert tasks_of(run, "next") == []
    assert run.rc != 0

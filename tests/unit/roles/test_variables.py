# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that a role cannot keep to are refused first, and modes of a play are heeded."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    Hosts,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun

pytestmark = pytest.mark.xdist_group("variables")

HOOK = {"name": "hook", "drain": "drain.yml", "undrain": "undrain.yml"}
ANSWER = {"changed": True, "reasons": [], "facts": {"reboot_needed": True}}


def role(kind: str, name: str = "fast_reboot", **rest: t.Any) -> dict[str, t.Any]:
    return task("Run", kind, arguments={"name": f"alpinefleet.kexec.{name}"}, **rest)


def play(hosts: str, *tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"hosts": hosts, "gather_facts": False, "tasks": list(tasks)}


def rescued(*tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a block whose failure does not end the plays after it."""
    return {"block": list(tasks), "rescue": [task("Go on", "debug")]}


PLAYS = [
    play("omits", rescued(role("include_role"))),
    play("wrong", rescued(role("include_role", "rolling_upgrade"))),
    play("once-*", {"block": [role("import_role")], "run_once": True}),
    play("once-b", role("include_role")),
    play(
        "predicted",
        task(
            "Run",
            "include_role",
            arguments={"name": "alpinefleet.kexec.fast_reboot", "apply": {"check_mode": True}},
        ),
    ),
]
REAL = [play("really-*", role("import_role", check_mode=False))]
FILES = {
    "drain.yml": [
        task("Drain", "debug", arguments={"msg": "{{ inventory_hostname }}"}, changed_when=True)
    ],
    "undrain.yml": [task("Undrain", "debug", arguments={"msg": "{{ inventory_hostname }}"})],
}
COMMON = {
    "script": SCRIPT,
    "fast_reboot_hooks": [HOOK],
    "fast_reboot_health_services": False,
    # A turn of the wait is the last one.
    "fast_reboot_timeout": 0.01,
}


def prepared(folder: Path, plays: list[dict[str, t.Any]]) -> Path:
    for name, tasks in {**FILES, "playbook.yml": plays}.items():
        (folder / name).write_text(json.dumps(tasks))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = prepared(tmp_path_factory.mktemp("variables"), PLAYS)
    python = str(python_that_answers(folder / "python", **ANSWER))
    hosts: Hosts = {
        "omits": {"fast_reboot_stable_seconds": "{{ nothing | default(omit) }}"},
        "wrong": {"ansible_python_interpreter": python, "fast_reboot_health_ports": ["https"]},
        "once-a": {},
        "once-b": {},
        "predicted": {},
    }
    return run_scripted(folder, hosts, COMMON)


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = prepared(tmp_path_factory.mktemp("check"), REAL)
    hosts: Hosts = {"really-well": {}, "really-lost": {"script": {**SCRIPT, "wait": GONE}}}
    return run_scripted(folder, hosts, COMMON, "--check")


def said(run: PlayRun, host: str, name: str) -> list[str]:
    return [
        each.result.get("msg", "")
        for each in run.tasks
        if each.host == host and each.task.rpartition(" : ")[2] == name
    ]


def test_variable_that_is_omitted_is_refused_before_anything_is_done(run: PlayRun) -> None:
    found = run.reboot_of("omits")
    assert (found["reason"]["code"], found["rebooted"]) == ("argument_invalid", False)
    assert "cannot be omitted: fast_reboot_stable_seconds." in found["reason"]["message"]
    assert said(run, "omits", "Drain") == []


def test_wrong_variable_of_the_reboot_is_refused_before_the_upgrade(run: PlayRun) -> None:
    assert said(run, "wrong", "upgrade | Upgrade all packages") == []
    (failed,) = said(run, "wrong", "end | Fail where it failed")
    assert "fast_reboot_health_ports" in failed


def test_hooks_name_the_host_that_they_are_about(run: PlayRun) -> None:
    assert said(run, "once-a", "Undrain") == ["once-a"]
    assert said(run, "once-b", "Undrain") == ["once-b"]


def test_prediction_that_a_play_asks_for_waits_for_nothing(run: PlayRun) -> None:
    found = run.reboot_of("predicted")
    assert (found["failed"], found["rebooted"], found["drained"]) == (False, False, [])


def test_reboot_that_is_real_in_check_mode_is_waited_for(check: PlayRun) -> None:
    well = check.reboot_of("really-well")
    assert (well["failed"], well["rebooted"], well["drained"]) == (False, True, [])
    lost = check.reboot_of("really-lost")
    assert (lost["failed"], lost["rebooted"], lost["drained"]) == (True, None, ["hook"])
    assert said(check, "really-lost", "Undrain") == []

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With hash_behaviour=merge a host adds nothing to what the controller has frozen."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import flow, plan
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.playbooks import (
    Playbooks,
)
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    run_scripted,
    task,
)

from tests.plays import PlayRun
from tests.plays.run import ROOT
from tests.unit.role_tasks import task_of_role

# One worker for all of them, and one run.
pytestmark = pytest.mark.xdist_group("merged")

ROLE = task("Run", "include_role", arguments={"name": "alpinefleet.kexec.fast_reboot"})
SAY = {"name": "Say", "alpinefleet.kexec.say": {"ansible_facts": "{{ says }}"}}
PLAYS = [
    {
        "hosts": hosts,
        "gather_facts": False,
        "tasks": [*first, {"block": [ROLE], "rescue": [task("Rescue", "debug")]}],
    }
    for hosts, first in (("early", [SAY]), ("late", []))
]


def frozen(folder: Path) -> dict[str, t.Any]:
    """A run with a command on the controller, as a host would have it frozen."""
    text = (ROOT / "roles/fast_reboot/defaults/main.yml").read_text(encoding="utf-8")
    defaults = {
        name.removeprefix("fast_reboot_"): value for name, value in yaml.safe_load(text).items()
    }
    command = ["touch", str(folder / "by-command")]
    wanted = {**defaults, "timeout": 0.01, "power_cycle_command": command}
    made, _command = plan.make(wanted, str(folder), Playbooks(task_of_role(folder)))
    return {"run": asdict(flow.begin("0" * 32, made)), "power_cycle_command": command}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merged")


@pytest.fixture(scope="module")
def run(folder: Path) -> t.Iterator[PlayRun]:
    (folder / "playbook.yml").write_text(json.dumps(PLAYS))
    drain = [task("Drain", "debug", changed_when=True), SAY]
    (folder / "drain.yml").write_text(json.dumps(drain))
    (folder / "undrain.yml").write_text(json.dumps([task("Undrain", "debug")]))
    evil = frozen(folder)
    names = ("frozen", "noted", "result")
    says = {
        **{f"fast_reboot_{name}": evil for name in names},
        "__fast_reboot_begun": evil,
        "fast_reboot_changes": {"power_cycle_command": evil["power_cycle_command"]},
    }
    hook = {"name": "lb", "drain": "drain.yml", "undrain": "undrain.yml"}
    common = {"script": {**SCRIPT, "wait": GONE}, "says": says, "fast_reboot_timeout": 0.01}
    hosts = {"early": {}, "late": {"fast_reboot_hooks": [hook]}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_HASH_BEHAVIOUR", "merge")
        yield run_scripted(folder, hosts, common, deprecated=["INJECT_FACTS_AS_VARS"])


def test_host_that_spoke_before_is_refused_and_runs_nothing(run: PlayRun, folder: Path) -> None:
    found = run.reboot_of("early")
    assert found["reason"]["code"] == "argument_invalid", run.output
    assert "fast_reboot_frozen" in found["reason"]["message"]
    assert not (folder / "by-command").exists()


def test_host_that_speaks_later_is_lost_and_runs_nothing(run: PlayRun, folder: Path) -> None:
    found = run.reboot_of("late")
    assert (found["reason"]["code"], found["drained"]) == ("did_not_return", ["lb"]), run.output
    assert not (folder / "by-command").exists()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the power cycle of a lost host is run, as whom, and what becomes of it if that is nowhere."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import GONE
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    run_scripted,
    task,
)

from tests.plays import PlayRun, codes_of

pytestmark = pytest.mark.xdist_group("power-cycle")

HELPER = "pdu"
# Port 1 of the controller refuses; a key or a password must not be asked for.
UNREACHABLE = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-oBatchMode=yes",
}
LOST = {"script": {**SCRIPT, "wait": GONE}}
BY_COMMAND: dict[str, t.Any] = {**LOST, "fast_reboot_power_cycle_command": ["true"]}
HOSTS: dict[str, dict[str, t.Any]] = {
    HELPER: UNREACHABLE,
    "by-command": {**BY_COMMAND, "fast_reboot_power_cycle_delegate": HELPER},
    "by-tasks": {**LOST, "fast_reboot_power_cycle_tasks": "reset.yml"},
    "by-whom": BY_COMMAND,
    # The controller itself is in the inventory, with all that this says of hosts.
    "localhost": {},
}
COMMON = {
    "fast_reboot_health_services": False,
    # A turn of the wait is the last one.
    "fast_reboot_timeout": 0.01,
    "fast_reboot_hooks": [{"name": "hook", "drain": "drain.yml", "undrain": "undrain.yml"}],
    # An inventory and a play say so of all that is done as root; here no such program is there.
    "ansible_become": True,
    "ansible_become_exe": "/no/such/program",
    # For the user that it is already Ansible would need none.
    "ansible_become_user": "somebody-else",
}
CHANGED = {"changed_when": True}
FILES: dict[str, list[dict[str, t.Any]]] = {
    "drain.yml": [task("Drain", "debug", **CHANGED)],
    "undrain.yml": [task("Undrain", "debug", **CHANGED)],
    "reset.yml": [task("Reset", "command", arguments={"argv": ["true"]}, delegate_to=HELPER)],
    "playbook.yml": [
        {
            "hosts": f"all,!{HELPER},!localhost",
            "gather_facts": False,
            "become": True,
            "tasks": [
                {
                    "block": [
                        task(
                            "Run",
                            "include_role",
                            arguments={"name": "alpinefleet.kexec.fast_reboot"},
                        )
                    ],
                    "always": [
                        {
                            "name": "Table",
                            "alpinefleet.kexec.fleet_step": {"step": "report"},
                            "run_once": True,
                        }
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder = tmp_path_factory.mktemp("power-cycle")
    for name, tasks in FILES.items():
        (folder / name).write_text(json.dumps(tasks))
    return run_scripted(folder, HOSTS, COMMON)


def of(run: PlayRun, host: str) -> dict[str, str]:
    """What was run on a host, without the name of the role, and what came of it."""
    return {
        each.task.rpartition(" : ")[2].rpartition(" | ")[2]: each.status
        for each in run.tasks
        if each.host == host
    }


def row(run: PlayRun, host: str) -> str:
    (found,) = [line for line in run.task("Table").result["msg"] if line.startswith(f"{host} ")]
    return t.cast("str", found)


def test_command_whose_helper_cannot_be_reached_is_told_of_at_once(run: PlayRun) -> None:
    told, done = run.reboot_of("by-command"), of(run, "by-command")
    assert (told["failed"], told["reason"]["code"]) == (True, "did_not_return"), run.output
    # The script has the host come back for whoever waits once more.
    assert (told["rebooted"], told["stage"], told["drained"]) == (None, "down", ["hook"])
    assert f"The power cycle failed, too: {HELPER} cannot be reached" in told["reason"]["message"]
    assert told["rungs"][-1] == {"method": "power_cycle", "reason": "power_cycle_failed"}
    assert (done["Run the command"], done["Fail where it failed"]) == ("unreachable", "failed")
    assert "The host is still drained: hook" in run.output


def test_host_whose_tasks_cannot_be_run_leaves_the_play_and_is_in_the_table(run: PlayRun) -> None:
    assert list(of(run, "by-tasks").items())[-1] == ("Reset", "unreachable"), run.output
    assert f"[by-tasks -> {HELPER}" in run.output
    found = row(run, "by-tasks").split()
    assert (found[1], "hook" in found, "did_not_return:" in found) == ("failed", True, True)


def test_command_is_run_on_the_controller_by_who_runs_the_play(run: PlayRun) -> None:
    told = run.reboot_of("by-whom")
    assert of(run, "by-whom")["Run the command"] == "ok", run.output
    assert (told["failed"], told["method"], codes_of(told)[0]) == (
        False,
        "firmware",
        "power_cycled",
    )

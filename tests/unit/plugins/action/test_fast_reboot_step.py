# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action hands a step what Ansible lends it, and its result back."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.alpinefleet.kexec.plugins.action.fast_reboot_step import ActionModule
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.steps import Steps

from ..plugin_utils._fast_reboot.test_plan import DEFAULTS

VARIABLES: dict[str, t.Any] = {
    "inventory_hostname": "web1",
    "playbook_dir": "/play",
    "fast_reboot_result": {"done": True, "rebooted": True, "run": {"next": ""}},
}

NOTED = {**VARIABLES, **{f"fast_reboot_{name}": value for name, value in DEFAULTS.items()}}


@pytest.fixture
def task() -> Task:
    task = Task(block=Block(play=Play()))
    task.action = "alpinefleet.kexec.fast_reboot_step"
    task.check_mode = False
    task.async_val = 0
    return task


def run(
    task: Task, variables: dict[str, t.Any] | None = None, /, **arguments: t.Any
) -> dict[str, t.Any]:
    task.args = arguments
    loader = DataLoader()
    # A folder on the host is there already, and none is made.
    connection: t.Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/a"))
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, variables={}))
    return action.run(task_vars=variables or VARIABLES)


def test_step_is_carried_out_with_the_variables_of_the_host(task: Task) -> None:
    first, second = run(task, step="end"), run(task, step="end")
    # No host can say just this.
    assert first.pop("nonce") != second.pop("nonce")
    assert first == second == {"done": True, "rebooted": True}


def test_words_from_anywhere_are_told_without_what_a_terminal_carries_out(task: Task) -> None:
    told = run(task, {**NOTED, "fast_reboot_method": "\x1b[2J"}, step="begin", frozen={})
    assert told["reason"]["code"] == "argument_invalid"
    assert "\x1b" not in told["msg"]


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ({"step": "jump"}, None, "value of step must be one of"),
        ({}, None, "missing required arguments: step"),
        ({"step": "begin", "changed": "all"}, None, "not a valid boolean"),
        ({"step": "wait"}, {"inventory_hostname": "web1"}, "There is no run of the role"),
        ({"step": "end"}, {"inventory_hostname": "web1"}, "There is no run of the role"),
    ],
)
def test_step_that_cannot_be_one_is_refused_with_a_remedy(
    task: Task, arguments: dict[str, t.Any], variables: dict[str, t.Any] | None, said: str
) -> None:
    told = run(task, variables, **arguments)
    assert told["failed"]
    assert said in told["msg"]
    assert "exception" not in told


def test_defect_is_told_with_its_place(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = run(task, NOTED, step="note")

    def break_down(_steps: t.Any, _run: t.Any) -> t.NoReturn:
        raise KeyError("x")

    monkeypatch.setattr(Steps, "look", break_down)
    told = run(task, step="look", run=begun["run"])
    assert told["failed"]
    assert "A defect of the collection: KeyError: 'x'." in told["msg"]
    assert "in break_down" in told["exception"]
    # What is known of the run is not forgotten.
    assert told["run"] == begun["run"]

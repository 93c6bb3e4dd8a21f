# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action hands a step what Ansible lends it, and its result back."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.alpinefleet.kexec.plugins.action.fast_reboot_step import ActionModule

VARIABLES: dict[str, t.Any] = {
    "inventory_hostname": "web1",
    "playbook_dir": "/play",
    "fast_reboot_result": {"done": True, "rebooted": True, "run": {"next": ""}},
}


@pytest.fixture
def task() -> Task:
    task = Task()
    task.action = "alpinefleet.kexec.fast_reboot_step"
    task.check_mode = False
    task.async_val = 0
    return task


def run(task: Task, **arguments: t.Any) -> dict[str, t.Any]:
    task.args = arguments
    loader = DataLoader()
    # A folder on the host is there already, and none is made.
    connection: t.Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/a"))
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, variables={}))
    return action.run(task_vars=VARIABLES)


def test_step_is_carried_out_with_the_variables_of_the_host(task: Task) -> None:
    assert run(task, step="end") == {"done": True, "rebooted": True}


def test_words_from_anywhere_are_told_without_what_a_terminal_carries_out(task: Task) -> None:
    told = run(task, step="begin", wanted={"method": "\x1b[2J"}, frozen={})
    assert told["reason"]["code"] == "argument_invalid"
    assert "\x1b" not in told["msg"]

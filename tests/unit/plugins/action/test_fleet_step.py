# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fleet_step as a playbook calls it."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible import context
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible.utils import vars as vars_of_ansible
from ansible_collections.alpinefleet.kexec.plugins.action.fleet_step import ActionModule

VARIABLES: dict[str, t.Any] = {
    "inventory_hostname": "web1",
    "ansible_play_hosts_all": ["web1", "web2"],
    "ansible_play_hosts": ["web1", "web2"],
    "ansible_play_batch": ["web1"],
    "hostvars": {"web1": {}, "web2": {}},
}


def run(variables: t.Any = None, **arguments: t.Any) -> dict[str, t.Any]:
    play = Play()
    play.vars = {"y_hosts": "web1"}
    task = Task(block=Block(play=play))
    task.action = "alpinefleet.kexec.fleet_step"
    task.check_mode = True
    task.async_val = 0
    task.args = arguments
    loader = DataLoader()
    connection: t.Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/a"))
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, variables={}))
    return action.run(task_vars=variables or VARIABLES)


def test_step_is_carried_out_with_the_variables_of_the_play() -> None:
    assert run(step="brake", error_budget="50%")["not_well"] == []
    stopped = run(step="guard", hosts_variable="x_hosts", batch_sizes="1", output="")
    assert stopped["failed"]
    assert "all 2 of the inventory" in stopped["msg"]
    # What one playbook gives to another that it imports is named, too.
    assert run(step="guard", hosts_variable="y_hosts", batch_sizes="1", output="")["output"] == ""


def test_hosts_are_named_with_an_option_of_the_command_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guard = {"step": "guard", "hosts_variable": "x_hosts", "batch_sizes": "1", "output": ""}
    of_inventory = {**VARIABLES, "x_hosts": "web1", "ansible_limit": "web1"}
    assert "does not see x_hosts" in run(of_inventory, **guard)["msg"]
    with monkeypatch.context() as patch:
        patch.setattr(vars_of_ansible.load_extra_vars, "extra_vars", {"x_hosts": "web1"})
        assert run(of_inventory, **guard)["output"] == ""
    monkeypatch.setattr(context, "CLIARGS", {"subset": "web1", "extra_vars": ()})
    assert run(**guard)["output"] == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"step": "brake", "budget": 1}, "Unsupported parameters"),
        ({"step": "report", "of_role": "any"}, "value of of_role must be one of"),
    ],
)
def test_step_that_cannot_be_one_is_refused(arguments: dict[str, t.Any], said: str) -> None:
    told = run(**arguments)
    assert told["failed"]
    assert said in told["msg"]
    assert "Correct the option that is named" in told["msg"]


def test_words_of_an_inventory_are_told_without_what_a_terminal_carries_out() -> None:
    stopped = run(step="brake", error_budget="\x1b[2J")
    assert stopped["failed"]
    assert "\x1b" not in stopped["msg"]

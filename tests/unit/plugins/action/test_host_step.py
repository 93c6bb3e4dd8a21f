# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action asks the host through Ansible, and hands a step its arguments and its result back."""

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
from ansible_collections.alpinefleet.kexec.plugins.action.host_step import ActionModule
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import controller

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
VARIABLES: dict[str, t.Any] = {"inventory_hostname": "web1"}


class Asked:
    """What a module was called with, and what it returns."""

    def __init__(self, answer: dict[str, t.Any]) -> None:
        self.calls: list[dict[str, t.Any]] = []
        self._answer = answer

    def __call__(self, **call: t.Any) -> dict[str, t.Any]:
        self.calls.append(call)
        return self._answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked({"able": False, "reasons": [], "msg": "\x1b[2J"})
    monkeypatch.setattr(
        ActionModule, "_execute_module", lambda _self, **call: found(**call), raising=True
    )
    monkeypatch.setattr(controller, "boot_id", lambda: BOOT_ID)
    return found


def run(*, check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    task = Task(block=Block(play=Play()))
    task.action = "alpinefleet.kexec.host_step"
    task.check_mode = check_mode
    task.async_val = 0
    task.args = arguments
    loader = DataLoader()
    # A folder on the host is there already, and none is made.
    connection: t.Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/a"))
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, variables={}))
    return action.run(task_vars=VARIABLES)


def test_host_is_asked_with_the_boot_of_the_controller(asked: Asked) -> None:
    told = run(step="look")
    assert asked.calls == [
        {
            "module_name": "alpinefleet.kexec.kexec_preflight",
            "module_args": {"controller_boot_id": BOOT_ID},
            "task_vars": VARIABLES,
        }
    ]
    # Without what a terminal would carry out.
    assert (told["able"], told["msg"]) == (False, r"\x1b[2J")


def test_step_knows_check_mode(asked: Asked) -> None:
    assert [run(check_mode=each, step="booted")["reboot_required"] for each in (True, False)] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"step": "wait"}, "value of step must be one of"),
        ({}, "missing required arguments: step"),
        ({"step": "look", "of": "x"}, "Unsupported parameters"),
        ({"step": "end", "so_far": 7}, "so_far"),
    ],
)
def test_arguments_that_are_none_are_refused(
    asked: Asked, arguments: dict[str, t.Any], said: str
) -> None:
    told = run(**arguments)
    assert told["failed"] is True
    assert said in told["msg"]
    assert "Correct the option that is named" in told["msg"]
    assert asked.calls == []

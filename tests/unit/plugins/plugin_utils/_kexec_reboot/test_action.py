# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the actions lend a task is what Ansible lent them."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot import action as base
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot.action import (
    RebootingAction,
)


class Action(RebootingAction):
    """An action that does nothing by itself."""

    def run(self, tmp: str | None = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        return {}


@pytest.fixture
def action() -> RebootingAction:
    task, context, loader = Task(), PlayContext(), DataLoader()
    task.action, task.check_mode, task.async_val = "alpinefleet.kexec.a_step", False, 0
    context.remote_addr = "192.0.2.7"
    connection: t.Any = object()
    return Action(task, connection, context, loader, Templar(loader, variables={}))


@pytest.mark.parametrize(("delegate", "name"), [(None, "web1"), ("web2", "web2")])
def test_host_is_the_one_that_the_task_is_about(
    action: RebootingAction, delegate: str | None, name: str
) -> None:
    action._task.delegate_to = delegate
    assert action.name_of_host({"inventory_hostname": "web1"}) == name


@pytest.mark.parametrize("check_mode", [True, False])
def test_task_has_the_connection_and_the_mode(action: RebootingAction, check_mode: bool) -> None:
    lent = action.reboot_task({}, check_mode=check_mode)._ansible
    assert lent.connection is action._connection
    assert lent.check_mode is check_mode


def test_module_is_run_with_the_variables_of_the_host(
    action: RebootingAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, t.Any]] = []

    def note(**call: t.Any) -> dict[str, t.Any]:
        calls.append(call)
        return {}

    monkeypatch.setattr(action, "_execute_module", note)
    variables = {"inventory_hostname": "web1"}
    action.reboot_task(variables, check_mode=False)._ansible.run_module("a.b.c", {"d": 1})
    assert calls == [{"module_name": "a.b.c", "module_args": {"d": 1}, "task_vars": variables}]


def test_words_of_a_host_are_shown_under_the_name_of_the_action(
    action: RebootingAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(base.display, "vvv", lambda message, host: shown.append((message, host)))
    action.reboot_task({}, check_mode=False)._ansible.log("\x1b[2J")
    assert shown == [("a_step: \\x1b[2J", "192.0.2.7")]

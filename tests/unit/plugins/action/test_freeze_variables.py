# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""freeze_variables as a role calls it."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.alpinefleet.kexec.plugins.action.freeze_variables import ActionModule

WANTED = {"packages": [], "reboot": "auto"}


def run(
    wanted: dict[str, t.Any], *, check_mode: bool = False, **variables: t.Any
) -> dict[str, t.Any]:
    task = Task()
    task.action = "alpinefleet.kexec.freeze_variables"
    task.check_mode = check_mode
    task.async_val = 0
    task.args = {"role": "rolling_upgrade", "wanted": wanted}
    loader = DataLoader()
    connection: t.Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/tmp/a"))
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, variables={}))
    return action.run(task_vars=variables)


@pytest.mark.parametrize("check_mode", [False, True])
def test_variables_are_handed_on(check_mode: bool) -> None:
    for _again in range(2):
        told = run(WANTED, check_mode=check_mode, rolling_upgrade_hosts="all")
        assert (told["wanted"], told.get("changed", False)) == (WANTED, False)


@pytest.mark.parametrize(
    ("wanted", "variables", "said"),
    [
        ({**WANTED, "reboot": "x"}, {}, "rolling_upgrade_reboot must be one of"),
        (WANTED, {"rolling_upgrade_rebot": "never"}, "no variable rolling_upgrade_rebot"),
        (
            WANTED,
            {"ansible_facts": {"rolling_upgrade_reboot": "never"}},
            "rolling_upgrade_reboot. Find out who controls the host.",
        ),
    ],
)
def test_what_is_refused_is_a_failure_before_the_host_is_asked(
    wanted: dict[str, t.Any], variables: dict[str, t.Any], said: str
) -> None:
    told = run(wanted, **variables)
    assert told["failed"]
    assert said in told["msg"]

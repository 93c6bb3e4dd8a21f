# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import yaml

from tests.bench import contenders
from tests.plays.run import FAST_REBOOT, ROOT


def test_limit_of_a_task_is_its_own() -> None:
    (task,) = contenders.bounded(contenders.CORE, 60.4)
    assert task == {**contenders.CORE[0], "timeout": 60}


def test_limit_of_a_role_is_one_of_each_of_its_tasks() -> None:
    (task,) = contenders.bounded(contenders.ROLE, 60)
    assert "timeout" not in task
    assert task[contenders.INCLUDE]["apply"] == {"timeout": 60}
    assert task[contenders.INCLUDE]["name"] == contenders.ROLE[0][contenders.INCLUDE]["name"]


def test_role_is_run_as_the_playbook_runs_it() -> None:
    *_before, play = yaml.safe_load(FAST_REBOOT.read_text(encoding="utf-8"))
    (block,) = [task["block"] for task in play["tasks"] if "block" in task]
    (role,) = [task for task in block if contenders.INCLUDE in task]
    assert role[contenders.INCLUDE] == contenders.ROLE[0][contenders.INCLUDE]


def test_playbook_is_told_its_hosts_and_its_batches() -> None:
    playbook = contenders.playbook("100%")
    text = (ROOT / f"playbooks/{playbook.name.rpartition('.')[2]}.yml").read_text(encoding="utf-8")
    assert [name for name in playbook.variables if f"{{{{ {name} | default(" not in text] == []
    assert list(playbook.variables.values()) == ["all", "100%"]


def test_hooks_are_files_that_are_there() -> None:
    (task,) = contenders.HOOKED
    hooks = task["vars"]["fast_reboot_hooks"]
    assert len(hooks) == 2
    assert all(Path(hook[step]).is_file() for hook in hooks for step in ("drain", "undrain"))


def test_tasks_by_hand_run_the_files_of_the_hooks_around_the_reboot() -> None:
    drain, alarms, _order, _wait, undrain, _alarms = contenders.SPLIT_HOOKED
    (task,) = contenders.HOOKED
    first, second = task["vars"]["fast_reboot_hooks"]
    files = [each[contenders.INCLUDE_TASKS]["file"] for each in (drain, alarms, undrain)]
    assert files == [first["drain"], second["drain"], first["undrain"]]


def test_limit_of_a_file_is_one_of_each_of_its_tasks() -> None:
    first, *_others = contenders.bounded(contenders.SPLIT_HOOKED, 60)
    assert first[contenders.INCLUDE_TASKS]["apply"] == {"timeout": 60}
    assert "timeout" not in first

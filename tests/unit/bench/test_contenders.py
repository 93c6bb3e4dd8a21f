# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import yaml

from tests.bench import contenders
from tests.plays.run import FAST_REBOOT


def test_limit_of_a_task_is_its_own() -> None:
    (task,) = contenders.bounded(contenders.CORE, 60.4)
    assert task == {**contenders.CORE[0], "timeout": 60}


def test_limit_of_a_role_is_one_of_each_of_its_tasks() -> None:
    (task,) = contenders.bounded(contenders.ROLE, 60)
    assert "timeout" not in task
    assert task[contenders.INCLUDE]["apply"] == {"timeout": 60}
    assert task[contenders.INCLUDE]["name"] == contenders.ROLE[0][contenders.INCLUDE]["name"]


def test_role_is_run_as_the_playbook_runs_it() -> None:
    (play,) = yaml.safe_load(FAST_REBOOT.read_text(encoding="utf-8"))
    assert play["tasks"][0][contenders.INCLUDE] == contenders.ROLE[0][contenders.INCLUDE]

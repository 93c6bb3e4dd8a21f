# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of a role as Ansible has them where it runs a play, without one being run."""

from __future__ import annotations

from pathlib import Path

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.role import Role
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task import Task
from ansible.playbook.task_include import TaskInclude
from ansible.vars.manager import VariableManager

from tests.plays.run import ROOT

FAST_REBOOT = ROOT / "roles/fast_reboot"


def task_of_role(playbooks: Path, *files: Path, role: Path = FAST_REBOOT) -> Task:
    """A task of a role that a play in a folder includes, each of the files having included the next."""
    loader = DataLoader()
    loader.set_basedir(str(playbooks))
    inventory = InventoryManager(loader=loader, sources=["localhost,"])
    manager = VariableManager(loader=loader, inventory=inventory)
    play = Play.load({"hosts": "all", "tasks": []}, variable_manager=manager, loader=loader)
    own = Role(play=play)
    own._role_path = str(role)
    include = IncludeRole.load(
        {"include_role": {"name": str(role)}}, variable_manager=manager, loader=loader
    )
    block = Block(play=play, role=own, parent_block=include)
    for path in files:
        (ds,) = loader.load_from_file(str(path))
        above = TaskInclude.load(ds, block=block, role=own, variable_manager=manager, loader=loader)
        block = Block(play=play, role=own, parent_block=above)
    made: Task = Task.load(
        {"meta": "noop"}, block=block, role=own, variable_manager=manager, loader=loader
    )
    return made

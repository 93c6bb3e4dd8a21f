# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is compared: tasks of a play, and the playbook that people run."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from .play import Playbook

Task = Mapping[str, t.Any]

ORDER = "Reboot the host"
WAIT = "Wait for the host"

CORE: Sequence[Task] = ({"name": ORDER, "ansible.builtin.reboot": {}},)
OURS: Sequence[Task] = ({"name": ORDER, "alpinefleet.kexec.kexec_reboot": {}},)
# Hosts reboot while others are still told to; the second task then finds most of them back.
SPLIT: Sequence[Task] = (
    {"name": ORDER, "alpinefleet.kexec.kexec_reboot": {"wait": False}, "register": "ordered"},
    {"name": WAIT, "alpinefleet.kexec.kexec_reboot": {"wait_for": "{{ ordered.order }}"}},
)


INCLUDE, INCLUDE_TASKS = "ansible.builtin.include_role", "ansible.builtin.include_tasks"
# As the playbook has it, less what the playbook does around it.
ROLE: Sequence[Task] = (
    {
        "name": ORDER,
        INCLUDE: {"name": "alpinefleet.kexec.fast_reboot", "rolespec_validate": False},
    },
)
# With two hooks, each of a task that changes something and one that takes it back.
HOOK_FILES = Path(__file__).parent / "hooks"
HOOKS = [
    {"name": name, **{step: str(HOOK_FILES / f"{step}.yml") for step in ("drain", "undrain")}}
    for name in ("balancer", "alarms")
]
HOOKED: Sequence[Task] = ({**ROLE[0], "vars": {"fast_reboot_hooks": HOOKS}},)


def _by_hand(step: str) -> list[Task]:
    return [
        {"name": f"{hook['name']}, {step}", INCLUDE_TASKS: {"file": hook[step]}} for hook in HOOKS
    ]


# The same hooks as somebody would write them down without the role, who sees to nothing else.
SPLIT_HOOKED: Sequence[Task] = (*_by_hand("drain"), *SPLIT, *_by_hand("undrain"))


def playbook(serial: int | str) -> Playbook:
    """Return the playbook around the role, as people run it on hosts that they name."""
    variables = {"fast_reboot_hosts": "all", "fast_reboot_serial": serial}
    return Playbook("alpinefleet.kexec.fast_reboot", variables)


def bounded(tasks: Sequence[Task], seconds: float) -> list[Task]:
    """Return the tasks with Ansible's own limit: one that hangs would keep the play for ever."""
    return [_bounded(task, {"timeout": round(seconds)}) for task in tasks]


def _bounded(task: Task, limit: Task) -> Task:
    """The limit of what is included is one of each task in it."""
    for include in (INCLUDE, INCLUDE_TASKS):
        if include in task:
            return {**task, include: {**task[include], "apply": limit}}
    return {**task, **limit}

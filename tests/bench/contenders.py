# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is compared, as tasks of a play."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

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


# As the playbook alpinefleet.kexec.fast_reboot runs it.
INCLUDE = "ansible.builtin.include_role"
ROLE: Sequence[Task] = ({"name": ORDER, INCLUDE: {"name": "alpinefleet.kexec.fast_reboot"}},)


def bounded(tasks: Sequence[Task], seconds: float) -> list[Task]:
    """Return the tasks with Ansible's own limit: one that hangs would keep the play for ever."""
    return [_bounded(task, {"timeout": round(seconds)}) for task in tasks]


def _bounded(task: Task, limit: Task) -> Task:
    """The limit of a role is one of each task in it."""
    return (
        {**task, INCLUDE: {**task[INCLUDE], "apply": limit}}
        if INCLUDE in task
        else {**task, **limit}
    )

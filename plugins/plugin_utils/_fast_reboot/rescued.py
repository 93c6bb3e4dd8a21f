# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a block of tasks was rescued from, as far as Ansible tells of it."""

from __future__ import annotations

import typing as t

from .._variables import speakers
from .._variables.speakers import Variables
from .flow import Broken


def broken(variables: Variables) -> Broken:
    """What the rescue of a block is for, without what a task wants to be kept secret."""
    task, result = (
        speakers.own(variables, f"ansible_failed_{name}") for name in ("task", "result")
    )
    if not isinstance(task, t.Mapping):
        return Broken("a task without a name: another host ended the play for this one, too")
    said = result if isinstance(result, t.Mapping) else {}
    hidden = bool(task.get("no_log"))
    told = "its result is hidden" if hidden else said.get("msg") or "it failed"
    return Broken(
        said=f"{task.get('name') or 'a task without a name'}: {told}",
        changed=bool(said.get("changed")),
        handler="listen" in task,
    )

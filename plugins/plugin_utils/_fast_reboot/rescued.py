# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a block of tasks was rescued from, as far as Ansible tells of it."""

from __future__ import annotations

import typing as t

from .._text import words
from .._variables import speakers
from .._variables.speakers import Variables
from .flow import Broken

Told = t.Mapping[str, t.Any]

NAMELESS = "a task without a name"


def broken(variables: Variables) -> Broken:
    """What the rescue of a block is for, without what a task wants to be kept secret."""
    task, said = _failed(variables)
    if task is None:
        return Broken(f"{NAMELESS}: another host ended the play for this one, too")
    return Broken(
        said=f"{_name(task)}: {_told(task, said) or 'it failed'}",
        changed=bool(said.get("changed")),
        handler="listen" in task,
    )


def message(variables: Variables) -> str:
    """What a task of a role has failed by, as the last word of that role: so with a remedy."""
    task, said = _failed(variables)
    if task is None:
        return "Another host ended the play for this one, too. See to that host, then run the play again."
    return _told(task, said) or (
        f"The task {_name(task)} failed without a word. Find its cause with -vvv."
    )


def _failed(variables: Variables) -> tuple[Told | None, Told]:
    task, result = (
        speakers.own(variables, f"ansible_failed_{name}") for name in ("task", "result")
    )
    known = task if isinstance(task, t.Mapping) else None
    return known, result if isinstance(result, t.Mapping) else {}


def _name(task: Told) -> str:
    return str(task.get("name") or NAMELESS)


def _told(task: Told, said: Told) -> str:
    return "its result is hidden" if task.get("no_log") else words.of_failure(said)

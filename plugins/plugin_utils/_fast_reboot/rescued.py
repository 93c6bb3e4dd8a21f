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

# What Ansible adds to the result of a task that its timeout has ended.
CUT_OFF = "timedout"
STEP = "alpinefleet.kexec.fast_reboot_step"
NAMELESS = "a task without a name"
# What is only in the result of a step or a module of ours, whose message has its remedy.
OF_OURS = ("nonce", "reasons")
REMEDY = (
    "Mend that, with -vvv for more of it, and run the role again; what was done before it stays."
)


def broken(variables: Variables) -> Broken:
    """What the rescue of a block is for, without what a task wants to be kept secret."""
    task, said = _failed(variables)
    if task is None:
        return Broken(f"{NAMELESS}: {_without_a_task(variables)}")
    return Broken(
        said=f"{_name(task)}: {_told(task, said) or 'it failed'}",
        # What was cut off may have changed something, and nobody says whether it has.
        changed=bool(said.get("changed") or CUT_OFF in said),
        handler="listen" in task,
    )


def message(variables: Variables) -> str:
    """What a task of a role has failed by, as the last word of that role: so with a remedy."""
    task, said = _failed(variables)
    if task is None:
        why = _without_a_task(variables)
        return f"{why[0].upper()}{why[1:]}. See to that, then run the play again."
    told = _told(task, said)
    if told and any(name in said for name in OF_OURS):
        return told
    why = f": {told.rstrip('.')}." if told else " without a word."
    return f"The task {_name(task)} failed{why} {REMEDY}"


def code(variables: Variables) -> str:
    """The code of the reason that a module or a step of ours has failed with; "" without one."""
    _task, said = _failed(variables)
    reasons = said.get("reasons")
    first = reasons[0] if isinstance(reasons, (list, tuple)) and reasons else None
    found = first.get("code") if isinstance(first, t.Mapping) else None
    return found if isinstance(found, str) else ""


def step_of_role(variables: Variables) -> Told:
    """What a step of the role has failed with; nothing where another task failed, whatever that says."""
    task, result = _failed(variables)
    is_step = task is not None and task.get("action") == STEP
    mine = is_step and speakers.is_told(variables, "ansible_failed_result")
    return result if mine and is_result(result) else {}


def step_was_cut_off(variables: Variables) -> bool:
    """Whether a step of the role was ended by Ansible without a word of what it had done."""
    task, result = _failed(variables)
    is_step = task is not None and task.get("action") == STEP
    return is_step and CUT_OFF in result and not is_result(result)


def is_result(found: object) -> t.TypeGuard[Told]:
    """Whether it is what a step of a run returns."""
    return (
        isinstance(found, t.Mapping) and "done" in found and isinstance(found.get("run"), t.Mapping)
    )


def _failed(variables: Variables) -> tuple[Told | None, Told]:
    task, result = (
        speakers.own(variables, f"ansible_failed_{name}") for name in ("task", "result")
    )
    known = task if isinstance(task, t.Mapping) else None
    return known, result if isinstance(result, t.Mapping) else {}


def _without_a_task(variables: Variables) -> str:
    """Why a block was ended in which no task has failed, as far as that can be told."""
    missing = "a file that it includes was not found or cannot be used, as Ansible said of it"
    hosts = variables.get("ansible_play_hosts_all") or ()
    return (
        f"{missing}, or another host ended the play for this one, too"
        if len(hosts) > 1
        else missing
    )


def _name(task: Told) -> str:
    return str(task.get("name") or NAMELESS)


def _told(task: Told, said: Told) -> str:
    return "its result is hidden" if task.get("no_log") else words.of_failure(said)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether the tasks of a playbook that let a host have its turn were run, and not passed over.

Ansible begins in the middle of a playbook, or leaves tasks out of it, where somebody says so.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude

from .._step import StepError
from . import registered, speakers
from .speakers import Variables

if t.TYPE_CHECKING:
    from ansible.playbook.task import Task

# By this variable of its own a play says what its hosts must have behind them: the guard, or the brake, too.
NEEDS = "__look_after_needs"
GUARD, BRAKE = "guard", "brake"
# What each of the two is for.
UNSEEN = {
    registered.GUARDED: "whether its hosts were named",
    registered.BRAKED: "whether the hosts before are well",
}


@dataclass(frozen=True)
class Turns:
    """A play as its own lines have it, in which no host has a part."""

    # What tells it from others of the same run.
    play: str = ""
    needs: str = ""
    # The place in somebody else's file that a file of the role was included from, as if it were beside it.
    includer: str = ""

    def refuse_mistaken(self) -> None:
        """Before any step: where a file of the role was taken for another one."""
        if self.includer:
            raise StepError(
                f"A task file includes another one at {self.includer}, and Ansible has taken the role's own "
                "file of that name.",
                "Give that file another name than each file of tasks of the role.",
            )

    def refuse_unguarded(self, variables: Variables) -> None:
        """Before the brake, which each batch begins with."""
        self.refuse_mistaken()
        if self.needs and not _passed(variables, registered.GUARDED):
            raise _passed_over(registered.GUARDED)

    def refuse_out_of_turn(self, variables: Variables) -> None:
        """Before anything is done to a host."""
        self.refuse_unguarded(variables)
        if self.needs != BRAKE:
            return
        told = speakers.own(variables, registered.BRAKED)
        mine = isinstance(told, t.Mapping) and told.get("of_play") == self.play
        if not mine or not _passed(variables, registered.BRAKED):
            raise _passed_over(registered.BRAKED)


# A play of somebody's own needs nothing.
ANY = Turns()


def of(task: Task) -> Turns:
    """The play of a task."""
    play = task.get_play()
    return Turns(str(play._uuid), str(play.get_vars().get(NEEDS, "")), _includer(task))


def _includer(task: Task) -> str:
    """Where in a file that is none of its role's a task was included from, without the role around it."""
    above: t.Any = task
    while task._role is not None and (above := above._parent):
        if isinstance(above, IncludeRole):
            break
        if isinstance(above, TaskInclude):
            place = str(above.get_path())
            if not is_inside(place, task._role._role_path):
                return place
    return ""


def is_inside(place: str, folder: str) -> bool:
    """Whether a place in a file is somewhere in a folder, by whichever way."""
    real = os.path.realpath(folder)
    return os.path.realpath(place).startswith(f"{real}{os.sep}")


def _passed(variables: Variables, name: str) -> bool:
    told = speakers.own(variables, name)
    return isinstance(told, t.Mapping) and "nonce" in told and not told.get("failed")


def _passed_over(name: str) -> StepError:
    return StepError(
        f"The playbook was begun in the middle, or a task of it was left out: nobody has seen {UNSEEN[name]}.",
        "Run it from its beginning, without --start-at-task and --step; nothing was done to the host.",
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The files of tasks that somebody wrote for a host, looked at before anything is done to it."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

# Of these a role has one for the role that it is in, wherever the role is included.
ENDS_A_ROLE = "end_role"
# These end the run for the host where it stands, and nobody would know.
ENDS = ("end_batch", "end_host", "end_play", ENDS_A_ROLE)
# These go on after it. Ansible ends the run for all hosts at any other word.
GOES_ON = (
    *("clear_facts", "clear_host_errors", "flush_handlers", "noop"),
    *("refresh_inventory", "reset_connection"),
)
# More tasks stand in another file.
INCLUDES = ("include_tasks", "include_role")
# What a name has in it that is known only when its task is run.
TEMPLATE = "{{"
# More places than the files have that anybody includes in each other for one hook.
PLACES_LIMIT = 1000


class FileError(Exception):
    """A file that cannot be used, in a sentence."""


class MissingError(FileError):
    """A file that is not there."""


@dataclass(frozen=True)
class FoundTask:
    """A task as Ansible makes it of a file, or of one that this imports."""

    # The file that it stands in.
    place: str
    # Its action, by the short name of one of Ansible's own, and the first argument of that.
    action: str = ""
    argument: str = ""
    # Whether it can change something without the role's handler being told.
    hides: bool = False
    # Whether it is run in any case, and once, with no more variables than are known by now.
    sure: bool = True
    # Whether it is in a role of somebody else's.
    in_a_role: bool = False
    # Whether Ansible has taken the role's own file, or another one of the collection, for what was meant.
    mistaken: bool = False
    # What Ansible has made.
    made: t.Any = None

    @property
    def is_named(self) -> bool:
        """Whether what it includes is known before it is run."""
        return self.action in INCLUDES and bool(self.argument) and TEMPLATE not in self.argument


class TaskFiles(t.Protocol):
    """Where tasks are made of files as Ansible makes them. Each raises FileError."""

    def tasks(self, path: str, above: FoundTask | None = None) -> list[FoundTask]:
        """The tasks of a file, which one of another file includes."""

    def tasks_of_role(self, found: FoundTask) -> list[FoundTask]:
        """The tasks of the role that one includes."""

    def is_own(self, found: FoundTask) -> bool:
        """Whether Ansible would take something of the collection's own for what a task names."""


def load(
    paths: t.Iterable[str], files: TaskFiles, playbooks: str
) -> tuple[dict[str, bool], list[str]]:
    """Whether a task of each file hides that it changed something, and what is wrong with files."""
    hides: dict[str, bool] = {}
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            tasks = files.tasks(path)
        except FileError as error:
            problems.append(str(error))
            continue
        hides[path] = any(_hides(path, each) for each in tasks)
        problems += _Walk(files, playbooks).problems(path, tasks)
    return hides, list(dict.fromkeys(problems))


def _hides(path: str, found: FoundTask) -> bool:
    """A task that is in another file tells nothing, too."""
    return found.hides or found.action in INCLUDES or found.place != path


class _Walk:
    """From a file to all that it includes, as far as the names are known by now."""

    def __init__(self, files: TaskFiles, playbooks: str) -> None:
        self._files = files
        self._playbooks = playbooks
        self._seen: set[str] = set()

    def problems(self, path: str, tasks: list[FoundTask]) -> t.Iterator[str]:
        self._seen.add(path)
        left = list(tasks)
        while left:
            found = left.pop(0)
            yield from _of_meta(found)
            if found.mistaken or self._files.is_own(found):
                yield _mistaken(found)
            elif found.is_named:
                try:
                    left += self._included(found, os.path.dirname(path))
                except FileError as error:
                    # What is included for some hosts only may be right for those.
                    if found.sure:
                        yield str(error)

    def _included(self, found: FoundTask, folder: str) -> list[FoundTask]:
        if found.action == "include_role":
            name = f"role {found.argument} of {found.place}"
            return [] if self._was_there(name) else self._files.tasks_of_role(found)
        for place in _places(found, folder, self._playbooks):
            try:
                return [] if self._was_there(place) else self._files.tasks(place, found)
            except MissingError:
                continue
        # Who runs into it is told so by Ansible, and the host is undrained.
        return []

    def _was_there(self, place: str) -> bool:
        known = place in self._seen or len(self._seen) >= PLACES_LIMIT
        self._seen.add(place)
        return known


def _places(found: FoundTask, folder: str, playbooks: str) -> t.Iterator[str]:
    """Where Ansible looks for a file that is included, in its order.

    A file in the playbook's own folder comes before one beside the file that names it.
    """
    folders = dict.fromkeys((playbooks, os.path.dirname(found.place), folder))
    name = os.path.expanduser(found.argument)
    yield os.path.abspath(os.path.join("tasks", name))
    for each in folders:
        for inner in ("tasks", ""):
            yield os.path.normpath(os.path.join(each, inner, name))


def _of_meta(found: FoundTask) -> t.Iterator[str]:
    """What would end the run for a host, or for all of them."""
    if found.action != "meta":
        return
    words = re.findall(r"\w+", found.argument)
    ends = [word for word in ENDS if word in words]
    if found.in_a_role and ENDS_A_ROLE in ends:
        ends.remove(ENDS_A_ROLE)
    if ends:
        yield (
            f"The task file {found.place} has meta: {' or '.join(ends)}. It would leave the "
            "host as it is then, with no word about it. Use a condition on its other tasks."
        )
    unknown = [word for word in dict.fromkeys(words) if word not in (*ENDS, *GOES_ON)]
    if unknown:
        yield (
            f"The task file {found.place} has meta: {', '.join(unknown)}, which is none of "
            f"{', '.join(GOES_ON)}. It would end the run for all hosts."
        )


def _mistaken(found: FoundTask) -> str:
    """Ansible looks in the role and in the collection before anywhere else."""
    named = f"names {found.argument}" if found.argument else "imports something"
    return (
        f"The task file {found.place} {named}, and Ansible would take for it what the collection "
        "has of that name. Give yours another one."
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The files of tasks that somebody wrote for a host, looked at before anything is done to it."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

# What a task holds more tasks in.
BLOCKS = ("block", "rescue", "always")
# By these a task can change something without the role's handler being told: notify takes its place,
# run_once tells it on one host only, and a task that failed, or is in another file, tells nothing.
HIDING = (
    *("notify", "run_once", "rescue", "failed_when", "ignore_errors", "ignore_unreachable"),
    *("include_tasks", "import_tasks", "include_role", "import_role", "roles"),
)
# These end the run for the host where it stands, and nobody would know.
ENDS = ("end_batch", "end_host", "end_play", "end_role")
BUILTIN = ("ansible.builtin.", "ansible.legacy.", "")


class FileError(Exception):
    """A file that cannot be used, in a sentence."""


class TaskFiles(t.Protocol):
    """Where files of tasks are read from."""

    def load(self, path: str) -> t.Any:
        """What is in a file; raise FileError."""


class Playbooks:
    """The controller's files, as Ansible reads them."""

    def load(self, path: str) -> t.Any:
        if not os.path.isfile(path):
            raise FileError(f"There is no task file {path}.")
        try:
            return DataLoader().load_from_file(path)
        except AnsibleError as error:
            said = " ".join(str(error).split())
            raise FileError(f"The task file {path} cannot be read: {said}") from None


def load(paths: t.Iterable[str], files: TaskFiles) -> tuple[dict[str, t.Any], list[str]]:
    """What is in each file, and what is wrong with some."""
    found: dict[str, t.Any] = {}
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found[path] = files.load(path)
        except FileError as error:
            problems.append(str(error))
            continue
        if found[path] is not None and not isinstance(found[path], list):
            problems.append(f"The task file {path} is no list of tasks.")
        elif _ends(found[path]):
            problems.append(
                f"The task file {path} has meta: {' or '.join(_ends(found[path]))}. It would leave the "
                "host as it is then, with no word about it. Use a condition on its other tasks."
            )
    return found, problems


def hide_changes(tasks: t.Any) -> bool:
    """Whether a task among them hides that it changed something."""
    return any(_value(task, keyword) for task in _all(tasks) for keyword in HIDING)


def _ends(tasks: t.Any) -> list[str]:
    said = {str(_value(task, "meta")).strip() for task in _all(tasks)}
    return [word for word in ENDS if word in said]


def _value(task: t.Mapping[str, t.Any], word: str) -> t.Any:
    """What a keyword or an action of Ansible's own has, by whichever name."""
    named = [task[f"{prefix}{word}"] for prefix in BUILTIN if f"{prefix}{word}" in task]
    return named[0] if named else None


def _all(tasks: t.Any) -> t.Iterator[t.Mapping[str, t.Any]]:
    """The tasks, and those in their blocks."""
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, t.Mapping):
            yield task
            for block in BLOCKS:
                yield from _all(task.get(block))

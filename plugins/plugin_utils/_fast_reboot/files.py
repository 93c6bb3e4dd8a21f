# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The files of tasks that somebody wrote for a host, looked at before anything is done to it."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.mod_args import ModuleArgsParser

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
# More tasks stand in another file, which a task names by one of these, and as one of these arguments.
INCLUDES = ("include_tasks", "import_tasks")
NAMED_BY = ("_raw_params", "file")
# What a name has in it that is known only when its task is run.
TEMPLATE = "{{"
# More files than anybody includes in each other for one hook.
FILES_LIMIT = 100


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
    """What is in each file, and what is wrong with some, or with those that they include."""
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
        problems += [
            f"The task file {place} has meta: {' or '.join(ends)}. It would leave the "
            "host as it is then, with no word about it. Use a condition on its other tasks."
            for place, ends in _endings(path, found[path], files)
        ]
    return found, list(dict.fromkeys(problems))


def _endings(path: str, tasks: t.Any, files: TaskFiles) -> t.Iterator[tuple[str, list[str]]]:
    """The files that would end the run for a host, with what they have of it."""
    folder, seen = os.path.dirname(path), {path}
    left = [(path, tasks)]
    while left:
        place, content = left.pop()
        if ends := _ends(content):
            yield place, ends
        for name in _included(content):
            # As Ansible looks for it: beside the file that names it, or beside the first one.
            for base in dict.fromkeys((os.path.dirname(place), folder)):
                other = os.path.normpath(os.path.join(base, name))
                if other in seen or len(seen) >= FILES_LIMIT:
                    continue
                seen.add(other)
                # One that is not there may be one that is not included.
                with contextlib.suppress(FileError):
                    left.append((other, files.load(other)))


def hide_changes(tasks: t.Any) -> bool:
    """Whether a task among them hides that it changed something."""
    return any(
        _action(task)[0] in HIDING or any(task.get(keyword) for keyword in HIDING)
        for task in _all(tasks)
    )


def _ends(tasks: t.Any) -> list[str]:
    actions = map(_action, _all(tasks))
    said = {word for name, arguments in actions if name == "meta" for word in _words(arguments)}
    return [word for word in ENDS if word in said]


def _words(arguments: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """The words of an argument, in whichever of its forms somebody has written it."""
    for value in arguments.values():
        yield from re.findall(r"\w+", str(value))


def _included(tasks: t.Any) -> t.Iterator[str]:
    """The names of the files that are included, as far as they are known before that."""
    for name, arguments in map(_action, _all(tasks)):
        named = [arguments[each] for each in NAMED_BY if each in arguments]
        if name in INCLUDES and named and isinstance(named[0], str) and TEMPLATE not in named[0]:
            yield named[0].strip()


def _action(task: t.Mapping[str, t.Any]) -> tuple[str, t.Mapping[str, t.Any]]:
    """What a task does, and its arguments, in any form that Ansible has for that.

    Of a task that Ansible does not understand it will say so itself, before anything of it is run.
    """
    if any(block in task for block in BLOCKS):
        return "", {}
    try:
        parser = ModuleArgsParser(dict(task))
        name, arguments, _delegate_to = parser.parse(skip_action_validation=True)
    except (AnsibleError, TypeError, ValueError, AttributeError):
        return "", {}
    short = [name.removeprefix(prefix) for prefix in BUILTIN if name and name.startswith(prefix)]
    return (short[0] if short else ""), {**_free_form(task), **(arguments or {})}


def _free_form(task: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """What stands beside the action as its arguments."""
    given = task.get("args")
    return given if isinstance(given, t.Mapping) else {}


def _all(tasks: t.Any) -> t.Iterator[t.Mapping[str, t.Any]]:
    """The tasks, and those in their blocks."""
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, t.Mapping):
            yield task
            for block in BLOCKS:
                yield from _all(task.get(block))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The files of tasks that somebody wrote for a host, looked at before anything is done to it."""

from __future__ import annotations

import inspect
import os
import re
import typing as t

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.mod_args import ModuleArgsParser
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.task_include import TaskInclude

if t.TYPE_CHECKING:
    from ansible.playbook.task import Task

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
# These go on after it. Ansible ends the run for all hosts at any other word.
GOES_ON = (
    *("clear_facts", "clear_host_errors", "flush_handlers", "noop"),
    *("refresh_inventory", "reset_connection"),
)
BUILTIN = ("ansible.builtin.", "ansible.legacy.", "")
# More tasks stand in another file, which a task names by one of these, and as one of these arguments.
INCLUDES = ("include_tasks", "import_tasks")
NAMED_BY = ("_raw_params", "file")
# What a name has in it that is known only when its task is run.
TEMPLATE = "{{"
# What Ansible fails by where it makes tasks of odd things is not always an error of its own.
NOT_UNDERSTOOD = (
    *(AnsibleError, AttributeError, LookupError, OSError),
    *(RecursionError, TypeError, ValueError),
)
# More places than the files have that anybody includes in each other for one hook.
PLACES_LIMIT = 1000
# Of a file that somebody wrote for a run the templates are carried out, where Ansible asks for that to be said.
TRUSTED = (
    {"trusted_as_template": True}
    if "trusted_as_template" in inspect.signature(DataLoader.load_from_file).parameters
    else {}
)


class FileError(Exception):
    """A file that cannot be used, in a sentence."""


class MissingError(FileError):
    """A file that is not there."""


class TaskFiles(t.Protocol):
    """Where files of tasks are read from."""

    def load(self, path: str) -> t.Any:
        """What is in a file; raise FileError."""

    def of_the_role(self, name: str) -> bool:
        """Whether Ansible has a file of the role's own for a name."""


class Playbooks:
    """The controller's files, as Ansible reads them for a task of the role."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def load(self, path: str) -> t.Any:
        if not os.path.isfile(path):
            raise MissingError(f"There is no task file {path}.")
        try:
            found = self._task.get_loader().load_from_file(path, **TRUSTED)
        except AnsibleError as error:
            raise FileError(f"The task file {path} cannot be read: {_said(error)}.") from None
        if found is not None and not isinstance(found, list):
            raise FileError(f"The task file {path} is no list of tasks.")
        try:
            self._understand(path, found)
        except NOT_UNDERSTOOD as error:
            raise FileError(f"The task file {path} cannot be run: {_said(error)}.") from None
        return found

    def of_the_role(self, name: str) -> bool:
        role, back = self._task._role._role_path, f"tasks/{os.path.basename(name)}"
        # From a folder that is included it can lead back to the role's own.
        ways = (f"tasks/{name}", name, *([back] if ".." in name else ()))
        return any(os.path.isfile(os.path.join(role, way)) for way in ways)

    def _understand(self, path: str, tasks: list[t.Any] | None) -> None:
        """Have Ansible make tasks of them now: what it refuses later ends the run for all hosts."""
        task = self._task
        tools = {"variable_manager": task.get_variable_manager(), "loader": task.get_loader()}
        include = TaskInclude.load(
            {"ansible.builtin.include_tasks": path}, block=task._parent, role=task._role, **tools
        )
        load_list_of_blocks(
            tasks, play=task.get_play(), parent_block=include, role=task._role, **tools
        )


def _said(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def load(
    paths: t.Iterable[str], files: TaskFiles, playbooks: str
) -> tuple[dict[str, t.Any], list[str]]:
    """What is in each file, and what is wrong with some, or with those that they include."""
    found: dict[str, t.Any] = {}
    problems: list[str] = []
    for path in dict.fromkeys(paths):
        try:
            found[path] = files.load(path)
        except FileError as error:
            problems.append(str(error))
            continue
        for place, content in _with_included(path, found[path], files, playbooks):
            if isinstance(content, FileError):
                problems.append(str(content))
            else:
                problems += [*_endings(place, content), *_mistaken(place, content, files)]
    return found, list(dict.fromkeys(problems))


def _with_included(
    path: str, tasks: t.Any, files: TaskFiles, playbooks: str
) -> t.Iterator[tuple[str, t.Any]]:
    """A file, and those that it or one of them includes, each with what is in it, or is wrong with it."""
    seen, left = {path}, [(path, tasks)]
    while left:
        place, content = left.pop()
        yield place, content
        folders = (os.path.dirname(place), os.path.dirname(path), playbooks)
        for name in _included(content):
            others = [each for each in _places(name, folders) if each not in seen]
            seen.update(others)
            # Of more than there is a limit for nothing is said.
            if len(seen) < PLACES_LIMIT:
                left += _there(others, files)


def _there(places: t.Iterable[str], files: TaskFiles) -> t.Iterator[tuple[str, t.Any]]:
    """Those of the places that have a file. Of one that is not the first nobody knows whether it is meant."""
    first = True
    for place in places:
        try:
            yield place, files.load(place)
        except MissingError:
            # It may be one that is not included.
            continue
        except FileError as error:
            if first:
                yield place, error
        first = False


def _places(name: str, folders: t.Sequence[str]) -> t.Iterator[str]:
    """Where Ansible looks for a file that is included: in some folders, and in their tasks before that."""
    for folder in dict.fromkeys(folders):
        for inner in ("tasks", ""):
            yield os.path.normpath(os.path.join(folder, inner, name))
    yield os.path.abspath(os.path.join("tasks", name))


def _endings(place: str, tasks: t.Any) -> t.Iterator[str]:
    """What would end the run for a host, or for all of them, said of a file."""
    ends, unknown = _metas(tasks)
    if ends:
        yield (
            f"The task file {place} has meta: {' or '.join(ends)}. It would leave the "
            "host as it is then, with no word about it. Use a condition on its other tasks."
        )
    if unknown:
        yield (
            f"The task file {place} has meta: {', '.join(unknown)}, which is none of "
            f"{', '.join(GOES_ON)}. It would end the run for all hosts."
        )


def _mistaken(place: str, tasks: t.Any, files: TaskFiles) -> t.Iterator[str]:
    """Names for which Ansible would take a file of the role: it looks there before anywhere else."""
    for name in filter(files.of_the_role, _included(tasks)):
        yield (
            f"The task file {place} includes {name}, and Ansible would take the role's own file "
            "of that name. Give yours another one."
        )


def hide_changes(tasks: t.Any) -> bool:
    """Whether a task among them hides that it changed something."""
    return any(
        _action(task)[0] in HIDING or any(task.get(keyword) for keyword in HIDING)
        for task in _all(tasks)
    )


def _metas(tasks: t.Any) -> tuple[list[str], list[str]]:
    """The words of meta that end the run for a host, and those that Ansible does not know."""
    said = [
        word
        for name, arguments in map(_action, _all(tasks))
        if name == "meta"
        for word in _words(arguments)
    ]
    ends = [word for word in ENDS if word in said]
    return ends, [word for word in dict.fromkeys(said) if word not in (*ENDS, *GOES_ON)]


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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Files of tasks as Ansible understands them where a task of the role includes them."""

from __future__ import annotations

import inspect
import os
import re
import typing as t

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.task_include import TaskInclude

from .._variables.turns import is_inside
from .files import FileError, FoundTask, MissingError

if t.TYPE_CHECKING:
    from ansible.playbook.task import Task

BUILTIN = ("ansible.builtin.", "ansible.legacy.", "")
# By these a task can change something without the role's handler being told: notify takes its place,
# run_once tells it on one host only, and a task that failed tells nothing.
HIDING = ("notify", "run_once", "rescue", "failed_when", "ignore_errors", "ignore_unreachable")
# What an action is told by its first argument, in the forms that Ansible has for that.
NAMED_BY = ("_raw_params", "file", "name", "role")
# What Ansible fails by where it makes tasks of odd things is not always an error of its own.
NOT_UNDERSTOOD = (
    *(AnsibleError, AttributeError, LookupError, OSError),
    *(RecursionError, TypeError, ValueError),
)
# What Ansible says without a word of the tasks themselves, which may have a secret in them.
WITHOUT_A_SECRET = re.compile(
    r"couldn't resolve module/action '[\w.]+'|'\w+' is not a valid attribute for a \w+"
    r"|no module/action detected in task|No file specified for \w+"
    r"|Could not find or access '[^']+'|the role '[^']+' was not found|'\w+' is undefined"
    r"|Could not find specified file in role: [\w./-]+|YAML parsing failed: [^:]+"
)
UNSAID = "Ansible can make no tasks of it, and ansible-playbook --syntax-check says why"
# Of a file that somebody wrote for a run the templates are carried out, where Ansible asks for that to be said.
TRUSTED = (
    {"trusted_as_template": True}
    if "trusted_as_template" in inspect.signature(DataLoader.load_from_file).parameters
    else {}
)


class Playbooks:
    """The controller's files, for a task of the role."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._tools = {
            "variable_manager": task.get_variable_manager(),
            "loader": task.get_loader(),
        }

    def tasks(self, path: str, above: FoundTask | None = None) -> list[FoundTask]:
        """What Ansible would refuse when it includes the file ends the run for all hosts then."""
        if not os.path.isfile(path):
            raise MissingError(f"There is no task file {path}.")
        try:
            found = self._task.get_loader().load_from_file(path, **TRUSTED)
        except AnsibleError as error:
            raise FileError(f"The task file {path} cannot be read: {_said(error)}.") from None
        if found is not None and not isinstance(found, list):
            raise FileError(f"The task file {path} is no list of tasks.")
        include = self._include(path) if above is None else above.made
        try:
            blocks = load_list_of_blocks(
                found,
                play=self._task.get_play(),
                parent_block=include,
                role=self._task._role,
                **self._tools,
            )
        except NOT_UNDERSTOOD as error:
            raise FileError(f"The task file {path} cannot be run: {_said(error)}.") from None
        return self._found(blocks, include, above)

    def tasks_of_role(self, found: FoundTask) -> list[FoundTask]:
        try:
            blocks, _handlers = found.made.get_block_list(play=self._task.get_play(), **self._tools)
        except NOT_UNDERSTOOD as error:
            raise FileError(
                f"The task file {found.place} includes the role {found.argument}, which cannot be run: {_said(error)}."
            ) from None
        return self._found(blocks, found.made, found)

    def is_own(self, found: FoundTask) -> bool:
        role = self._task._role._role_path
        roles = os.path.dirname(role)
        if found.action == "include_role":
            return "." not in found.argument and os.path.isdir(os.path.join(roles, found.argument))
        folder = {"include_tasks": "tasks", "include_vars": "vars"}.get(found.action)
        return folder is not None and _is_in(role, folder, found.argument)

    def _include(self, path: str) -> TaskInclude:
        """The task of the role that includes a file of somebody's."""
        told = {"ansible.builtin.include_tasks": path}
        task = self._task
        made = TaskInclude.load(told, block=task._parent, role=task._role, **self._tools)
        return t.cast("TaskInclude", made)

    def _found(
        self, blocks: t.Iterable[Block], include: object, above: FoundTask | None
    ) -> list[FoundTask]:
        sure = above is None or above.sure
        # What nobody has written is Ansible's own, as at the end of a role.
        written = (each for each in _all(blocks) if not each.implicit)
        return [self._told(task, [*_around(task, include)], sure=sure) for task in written]

    def _told(self, task: Task, around: list[t.Any], *, sure: bool) -> FoundTask:
        role = self._task._role
        place = str(task.get_path()).rpartition(":")[0]
        return FoundTask(
            place=place,
            action=_short(str(task.action)),
            argument=_argument(task.args),
            hides=any(_has_any(each, HIDING) for each in around),
            sure=sure
            and task.loop is None
            and not any(_has_any(each, ["when"]) for each in around),
            in_a_role=task._role is not role,
            mistaken=is_inside(place, role._role_path),
            made=task,
        )


def _said(error: Exception) -> str:
    """What is wrong, without what may be a secret."""
    found = WITHOUT_A_SECRET.search(" ".join(str(error).split()))
    return found[0] if found else UNSAID


def _all(blocks: t.Iterable[t.Any]) -> t.Iterator[Task]:
    for each in blocks:
        if isinstance(each, Block):
            yield from _all((*each.block, *each.rescue, *each.always))
        else:
            yield each


def _around(task: t.Any, include: object) -> t.Iterator[t.Any]:
    """A task, and what it stands in: blocks, and imports of its file."""
    each = task
    while each is not None and each is not include:
        yield each
        each = each._parent


def _has_any(made: t.Any, keywords: t.Iterable[str]) -> bool:
    """Whether somebody has written one of the keywords there, and not around it."""
    written = made.get_ds()
    return isinstance(written, t.Mapping) and any(written.get(each) for each in keywords)


def _short(action: str) -> str:
    found = [action.removeprefix(prefix) for prefix in BUILTIN if action.startswith(prefix)]
    return found[0] if found else ""


def _argument(arguments: t.Mapping[str, t.Any]) -> str:
    found = [str(arguments[each]) for each in NAMED_BY if each in arguments]
    return found[0].strip() if found else ""


def _is_in(role: str, folder: str, name: str) -> bool:
    """Whether a role has a file of a name, in one folder or in its own, from wherever that is included."""
    if not name or os.path.isabs(os.path.expanduser(name)):
        return False
    # From a folder in which a hook's files include each other it can lead back to the role's own.
    below = re.sub(r"^(\.\./)+", "", os.path.normpath(name))
    return any(os.path.isfile(os.path.join(role, each, below)) for each in (folder, ""))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a file of tasks to all that it includes, whoever reads them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import files
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.files import (
    FileError,
    FoundTask,
    MissingError,
)

DRAIN = "/play/hooks/drain.yml"


@dataclass
class Folder:
    """Files by their paths, each with its tasks."""

    contents: dict[str, list[FoundTask] | FileError]
    looked_for: list[str] = field(default_factory=list)

    def tasks(self, path: str, above: FoundTask | None = None) -> list[FoundTask]:
        self.looked_for.append(path)
        found = self.contents.get(path, MissingError(f"There is no {path}."))
        if isinstance(found, FileError):
            raise found
        return [replace(each, sure=each.sure and (above is None or above.sure)) for each in found]

    def tasks_of_role(self, found: FoundTask) -> list[FoundTask]:
        return self.tasks(found.argument, found)

    def is_own(self, found: FoundTask) -> bool:
        return found.argument == "wait.yml"


def task(action: str = "debug", argument: str = "", place: str = DRAIN, **rest: t.Any) -> FoundTask:
    return FoundTask(place, action, argument, **rest)


def include(name: str, **rest: t.Any) -> FoundTask:
    return task("include_tasks", name, **rest)


END = task("meta", "end_host")


def problems(folder: Folder) -> list[str]:
    return files.load([DRAIN, DRAIN], folder, "/play")[1]


def test_file_is_looked_for_in_the_order_of_ansible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Folder({DRAIN: [include("lb.yml", place="/play/hooks/more/sub.yml")]})
    assert problems(folder) == []
    assert [each for each in folder.looked_for if each != DRAIN] == [
        f"{tmp_path}/tasks/lb.yml",
        *("/play/tasks/lb.yml", "/play/lb.yml"),
        *("/play/hooks/more/tasks/lb.yml", "/play/hooks/more/lb.yml"),
        *("/play/hooks/tasks/lb.yml", "/play/hooks/lb.yml"),
    ]


def test_first_file_that_is_there_is_the_one() -> None:
    folder = Folder({DRAIN: [include("lb.yml")], "/play/lb.yml": [], "/play/hooks/lb.yml": [END]})
    assert problems(folder) == []


def test_files_that_include_each_other_come_to_an_end() -> None:
    folder = Folder({DRAIN: [include("lb.yml")], "/play/lb.yml": [include("lb.yml"), END]})
    assert len(problems(folder)) == 1
    endless = {f"/play/{number}.yml": [include(f"{number + 1}.yml")] for number in range(3000)}
    many = Folder({DRAIN: [include("0.yml")], **t.cast("dict[str, t.Any]", endless)})
    assert problems(many) == []
    assert len(many.looked_for) <= 2 * files.PLACES_LIMIT


@pytest.mark.parametrize(("sure", "said"), [(True, ["It is broken."]), (False, [])])
def test_error_of_what_may_not_be_included_is_none(sure: bool, said: list[str]) -> None:
    broken: FileError | list[FoundTask] = FileError("It is broken.")
    first = [include("a.yml", sure=sure)]
    inner = {DRAIN: first, "/play/a.yml": [include("b.yml")], "/play/b.yml": broken}
    assert problems(Folder(inner)) == said
    role = task("include_role", "balancer", sure=sure)
    assert problems(Folder({DRAIN: [role], "balancer": broken})) == said


@pytest.mark.parametrize("found", [include("wait.yml"), task(mistaken=True)])
def test_what_is_the_collections_own_is_refused(found: FoundTask) -> None:
    (said,) = problems(Folder({DRAIN: [found]}))
    assert "Ansible would take for it what the collection has of that name" in said


@pytest.mark.parametrize(
    ("found", "hides"),
    [
        (task(), False),
        (task(hides=True), True),
        (include("{{ x }}.yml"), True),
        (task("include_role", "x"), True),
        (task(place="/play/hooks/imported.yml"), True),
    ],
)
def test_what_is_in_another_file_does_not_tell_what_it_changes(
    found: FoundTask, hides: bool
) -> None:
    assert files.load([DRAIN], Folder({DRAIN: [task(), found]}), "/play")[0] == {DRAIN: hides}


def test_role_of_somebody_else_may_end_itself() -> None:
    role = task("meta", "end_role", in_a_role=True)
    assert problems(Folder({DRAIN: [role]})) == []
    assert len(problems(Folder({DRAIN: [replace(role, in_a_role=False)]}))) == 1

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state that a playbook led to is another one as soon as anything that ran is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import LabError, Record
from tests.plays import states
from tests.plays.run import PlayRun

RECORD = Record("web1", "/m/web1", 2222, 1024, "/r/www", False, "ready")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection of which each part has one file, and a scenario's playbook."""
    for name in (*states.PINS, *(f"{part}/a/file" for part in states.PARTS), "it/converge.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(states, "ROOT", tmp_path)
    return tmp_path


def key(project: Path, **variables: object) -> str:
    return states.by_playbook(project / "it/converge.yml", **variables).inputs


@pytest.mark.parametrize(
    "name", [*states.PINS, *(f"{part}/a/file" for part in states.PARTS), "it/converge.yml"]
)
def test_each_file_takes_part(project: Path, name: str) -> None:
    before = key(project)
    assert key(project) == before
    (project / name).write_text("another")
    assert key(project) != before


def test_variables_and_names_take_part(project: Path) -> None:
    before = key(project)
    assert key(project, mode="on_request") != before
    (project / "roles/a/file").rename(project / "roles/a/other")
    assert key(project) != before


def test_what_python_leaves_takes_no_part(project: Path) -> None:
    before = key(project)
    (project / "plugins/a/file.pyc").write_text("")
    assert key(project) == before


@pytest.mark.parametrize("rc", [0, 2])
def test_playbook_must_succeed(project: Path, monkeypatch: pytest.MonkeyPatch, rc: int) -> None:
    ran: list[object] = []

    def run(playbook: Path, inventory: Path, *, variables: dict[str, object]) -> PlayRun:
        ran.append((playbook.name, inventory, variables))
        return PlayRun(rc, "what it printed", ())

    monkeypatch.setattr(states, "run_playbook", run)
    preparation = states.by_playbook(project / "it/converge.yml", mode="on_request")
    assert preparation.title == "it/converge"
    if rc:
        with pytest.raises(LabError, match="what it printed"):
            preparation.run(RECORD)
    else:
        preparation.run(RECORD)
    assert ran == [("converge.yml", RECORD.inventory, {"mode": "on_request"})]

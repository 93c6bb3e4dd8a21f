# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a report goes: found out before hosts are rebooted, and written as a whole."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import outfile
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError


def test_no_name_is_no_file() -> None:
    assert outfile.path_of("") == ""


@pytest.mark.parametrize("given", ["report.json", "./report.json", "~/report.json"])
def test_path_is_as_the_shell_understands_it(
    given: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert outfile.path_of(given) == str(tmp_path / "report.json")


@pytest.mark.parametrize(
    "given",
    [
        *(".", "no/such/folder/report.json", "/proc/version/report.json"),
        *("n" * 250, "a\0b", "a\nb", ["a"], 7, {}),
    ],
)
def test_what_would_not_work_is_refused_at_once(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StepError, match=r"cannot be written to .*; nothing was done"):
        outfile.path_of(given)


def test_report_replaces_the_one_before_and_others_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old and longer", encoding="utf-8")
    outfile.write(str(path), "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_report_that_fails_leaves_nothing_beside_its_place(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(StepError, match="could not be written to"):
        outfile.write(str(tmp_path / "report.json"), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"could not be written to .*No such file"):
        outfile.write(str(tmp_path / "gone/report.json"), "new")

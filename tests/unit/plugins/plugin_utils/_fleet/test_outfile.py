# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a report goes: found out before hosts are rebooted, and written as a whole."""

from __future__ import annotations

import os
import socket
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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


# --- What is no file --------------------------------------------------------------------------

LONG = "x" * 200_000


def test_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert outfile.path_of(str(link)) == str(link)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(path.read_text)
        while True:
            try:
                outfile.write(str(link), LONG)
                break
            except StepError:
                # The reader has not come yet.
                continue
        assert read.result() == LONG
    assert (path.is_fifo(), link.is_symlink()) == (True, True)
    assert {each.name for each in tmp_path.iterdir()} == {"pipe", "link"}


def test_pipe_that_nobody_reads_from_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(StepError, match="could not be written to"):
        outfile.write(str(path), "new")
    monkeypatch.setattr(outfile, "STREAM_SECONDS", 0.1)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(StepError, match="nobody has read from it"):
            outfile.write(str(path), LONG)
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_device_is_written_into() -> None:
    assert outfile.path_of("/dev/null") == "/dev/null"
    outfile.write("/dev/null", "new")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("given", "number"),
    [("/dev/stdout", 1), ("/dev/stderr", 2), ("/dev/fd/1", 1), ("/proc/self/fd/2", 2)],
)
def test_what_is_open_is_so_of_who_has_started_the_task(given: str, number: int) -> None:
    with suppress(StepError):
        # Nobody may have anything open there while tests run.
        assert outfile.path_of(given) in {
            f"/proc/{os.getppid()}/fd/{number}",
            os.path.realpath(f"/proc/{os.getppid()}/fd/{number}"),
        }


def test_file_that_a_process_has_open_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as log:
        log.write("begun\n")
        log.flush()
        for refused in (outfile.path_of, lambda name: outfile.write(name, "new")):
            with pytest.raises(StepError, match=r"(cannot|could not) be written to"):
                refused(f"/proc/{os.getpid()}/fd/{log.fileno()}")
        assert path.read_text() == "begun\n"
        assert os.fstat(log.fileno()).st_ino == path.stat().st_ino


def test_link_to_a_file_stays_one(tmp_path: Path) -> None:
    path, link = tmp_path / "report.json", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    outfile.write(outfile.path_of(str(link)), "new")
    assert (path.read_text(), link.is_symlink()) == ("new", True)


def test_socket_is_refused_and_replaced_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    with pytest.raises(StepError, match="cannot be written to"):
        outfile.path_of(str(path))
    with pytest.raises(StepError, match="could not be written to"):
        outfile.write(str(path), "new")
    assert path.is_socket()

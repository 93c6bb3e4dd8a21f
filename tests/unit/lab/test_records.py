# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines on disk: records, processes, and what is left of a killed `up`."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import cache, records
from tests.lab.errors import LabError
from tests.lab.records import Record


def record(name: str = "web1", phase: records.Phase = "ready") -> Record:
    folder = records.machines_dir() / name
    folder.mkdir(parents=True, exist_ok=True)
    return Record(name, str(folder), 2222, 1024, "/r/www", False, phase)


def fake_process(proc: Path, pid: int, *words: str) -> None:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cmdline").write_bytes("\0".join(words).encode() + b"\0")


def test_find_returns_what_save_wrote() -> None:
    saved = replace(record(), seconds=1.5)
    records.save(saved)
    assert records.find("web1") == saved
    assert records.listed() == [saved]


@pytest.mark.parametrize(
    ("change", "there"),
    [
        pytest.param({"of_another_checkout": 1}, True, id="more is known"),
        pytest.param({"seconds": None}, True, id="all that is needed"),
        pytest.param({"port": None}, False, id="less is known"),
    ],
)
def test_record_of_another_checkouts_lab(change: dict[str, t.Any], there: bool) -> None:
    records.save(record())
    file = record().path / records.RECORD
    stored = json.loads(file.read_text()) | change
    file.write_text(json.dumps({name: each for name, each in stored.items() if each is not None}))
    assert records.listed() == ([record()] if there else [])
    file.write_text("")
    assert records.listed() == []


def test_find_of_an_unknown_machine_names_the_remedy() -> None:
    with pytest.raises(LabError, match="up web9") as caught:
        records.find("web9")
    assert caught.value.code == "no-machine"
    assert records.listed() == []


@pytest.mark.parametrize(
    ("program", "disk", "expected"),
    [
        ("/usr/bin/qemu-system-x86_64", "{folder}/disk.raw", 42),
        ("qemu-system-x86_64", "{folder}/disk.raw", 42),
        ("qemu-system-x86_64", "{folder}/disk.qcow2", 42),
        ("qemu-system-x86_64", "/elsewhere/disk.raw", None),
        ("qemu-system-x86_64", "{folder}/disk.raw2", None),
        ("vi", "{folder}/disk.raw", None),
    ],
)
def test_read_pid_believes_only_the_machines_own_qemu(
    tmp_path: Path, program: str, disk: str, expected: int | None
) -> None:
    folder, proc = tmp_path / "web1", tmp_path / "proc"
    folder.mkdir()
    (folder / "qemu.pid").write_text("42\n")
    fake_process(
        proc,
        42,
        program,
        "-blockdev",
        f"driver=file,filename={disk.format(folder=folder)},node-name=file",
    )
    assert records.read_pid(folder, proc) == expected


def test_read_pid_of_a_process_that_ended(tmp_path: Path) -> None:
    (tmp_path / "qemu.pid").write_text("42\n")
    assert records.read_pid(tmp_path, tmp_path / "proc") is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "qemu.pid").write_text("")
    assert records.read_pid(tmp_path, tmp_path / "proc") is None


@pytest.mark.parametrize("written", [None, ""])
def test_read_pid_finds_a_qemu_whose_pid_was_never_written(
    tmp_path: Path, written: str | None
) -> None:
    folder, proc = tmp_path / "a,b", tmp_path / "proc"
    folder.mkdir()
    if written is not None:
        (folder / "qemu.pid").write_text(written)
    fake_process(proc, 7, "sh")
    fake_process(
        proc,
        8,
        "qemu-system-x86_64",
        f"driver=file,filename={tmp_path}/a,,b/disk.raw,node-name=file",
    )
    assert records.read_pid(folder, proc) == 8


def test_kill_leaves_a_foreign_process_alone(tmp_path: Path) -> None:
    (tmp_path / "qemu.pid").write_text(f"{os.getpid()}\n")
    records.kill(tmp_path)
    assert (tmp_path / "qemu.pid").exists()


@pytest.mark.parametrize(("phase", "expected"), [("ready", "stopped"), ("starting", "starting")])
def test_status_without_a_process(phase: records.Phase, expected: str) -> None:
    assert records.status(record(phase=phase)) == expected


def test_clean_removes_only_machines_whose_up_was_killed() -> None:
    records.save(record("ready"))
    records.save(record("killed", "starting"))
    records.save(record("live", "starting"))
    (records.machines_dir() / "no-record").mkdir()
    with cache.locked(records.lock_name("live")):
        assert records.clean() == ["killed", "no-record"]
    assert [found.name for found in records.listed()] == ["live", "ready"]


def test_clean_without_machines() -> None:
    assert records.clean() == []


def test_wait_until_ends_in_time() -> None:
    assert records.wait_until(lambda: True, 0)
    assert not records.wait_until(lambda: False, 0)

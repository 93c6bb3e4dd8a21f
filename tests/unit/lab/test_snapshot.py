# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot is not changed by the machines that go on from it."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lab import qmp, records, snapshot
from tests.lab.errors import LabError
from tests.lab.identity import KEYS
from tests.lab.qemu import OVERLAY, STATE_DISK, STATE_MEMORY, VARIABLES
from tests.lab.records import Record


class Qemu:
    """What QEMU and qemu-img leave of a machine."""

    def __init__(self) -> None:
        self.status = "completed"
        self.commands: list[str] = []

    def execute(
        self, folder: Path, command: str, arguments: dict[str, object] | None = None
    ) -> dict[str, str]:
        self.commands.append(command)
        if command == "migrate":
            target = re.fullmatch(r"exec:cat >(.*)", str((arguments or {})["uri"]))
            assert target is not None
            (folder / target[1]).write_text("memory of the child")
        return {"status": self.status}

    def image(self, argv: Sequence[str | Path], *, cwd: Path | None = None) -> str:
        target = Path(argv[-1])
        (target if cwd is None else cwd / target).write_text(f"made by {argv[1]}")
        return ""


@pytest.fixture
def qemu(monkeypatch: pytest.MonkeyPatch) -> Qemu:
    found = Qemu()
    monkeypatch.setattr(qmp, "execute", found.execute)
    monkeypatch.setattr(snapshot, "run", found.image)
    monkeypatch.setattr(records, "read_pid", lambda _folder: None)
    return found


@pytest.fixture
def parent(tmp_path: Path) -> snapshot.Snapshot:
    folder = tmp_path / "parent"
    folder.mkdir()
    names = (STATE_DISK, STATE_MEMORY, snapshot.STATE_VARIABLES, *KEYS)
    for name in names:
        (folder / name).write_text(f"{name} of the parent")
    return snapshot.Snapshot(folder, 1024, False, True, "/r/www", ("qemu",))


def laid_out(tmp_path: Path, parent: snapshot.Snapshot) -> Record:
    folder = tmp_path / "web1"
    folder.mkdir()
    snapshot.lay_out(parent, folder, "web1")
    return Record(
        "web1", str(folder), 2222, 1024, "/r/www", False, "ready", uefi=True, emulator=["qemu"]
    )


def test_a_machine_has_all_that_it_goes_on_from(
    tmp_path: Path, qemu: Qemu, parent: snapshot.Snapshot
) -> None:
    record = laid_out(tmp_path, parent)
    assert (record.path / STATE_MEMORY).read_text() == "state.memory of the parent"
    assert (record.path / OVERLAY).read_text() == "made by create"
    assert (record.path / VARIABLES).read_text() == "state.efivars of the parent"
    assert record.known_hosts.read_text() == "web1 host_key.pub of the parent"


def test_a_snapshot_of_what_went_on_from_another_leaves_that_one_alone(
    tmp_path: Path, qemu: Qemu, parent: snapshot.Snapshot
) -> None:
    record, child = laid_out(tmp_path, parent), tmp_path / "child"
    (record.path / VARIABLES).write_text("variables of the child")
    child.mkdir()
    taken = snapshot.take(record, child)
    assert (parent.folder / STATE_MEMORY).read_text() == "state.memory of the parent"
    assert (parent.folder / snapshot.STATE_VARIABLES).read_text() == "state.efivars of the parent"
    assert (child / STATE_MEMORY).read_text() == "memory of the child"
    assert (child / snapshot.STATE_VARIABLES).read_text() == "variables of the child"
    assert stat.S_IMODE((child / STATE_MEMORY).stat().st_mode) == stat.S_IRUSR
    assert snapshot.is_whole(child)
    assert taken == snapshot.Snapshot(child, 1024, False, True, "/r/www", ("qemu",))
    assert qemu.commands[:1] + qemu.commands[-1:] == ["stop", "quit"]


def test_rewind_takes_back_what_the_machine_wrote(
    tmp_path: Path, qemu: Qemu, parent: snapshot.Snapshot
) -> None:
    record = laid_out(tmp_path, parent)
    (record.path / OVERLAY).write_text("written")
    (record.path / VARIABLES).write_text("written")
    snapshot.rewind(record.path)
    assert (record.path / OVERLAY).read_text() == "made by create"
    assert (record.path / VARIABLES).read_text() == "state.efivars of the parent"


def test_memory_that_cannot_be_saved_is_no_snapshot(
    tmp_path: Path, qemu: Qemu, parent: snapshot.Snapshot
) -> None:
    record, child = laid_out(tmp_path, parent), tmp_path / "child"
    child.mkdir()
    qemu.status = "failed"
    with pytest.raises(LabError, match="ended as 'failed'"):
        snapshot.take(record, child)
    assert list(child.iterdir()) == []


@pytest.mark.parametrize("status", ["inmigrate", "running"])
def test_a_machine_that_cannot_go_on_says_what_qemu_said(
    tmp_path: Path, qemu: Qemu, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    qemu.status = status
    monkeypatch.setattr(snapshot, "SAVE_SECONDS", 0)
    (tmp_path / "qemu.log").write_text("load of migration failed\n")
    if status == "running":
        snapshot.go_on(tmp_path)
        assert qemu.commands[-1] == "cont"
        return
    with pytest.raises(LabError, match="load of migration failed") as caught:
        snapshot.go_on(tmp_path)
    assert caught.value.code == "state-damaged"

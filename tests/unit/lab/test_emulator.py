# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which QEMU is taken, and that one that cannot be had is not asked for again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import emulator
from tests.lab.emulator import Emulator
from tests.lab.errors import LabError
from tests.lab.progress import Progress

QUIET = Progress(quiet=True)
SCRIPT = "#!/bin/sh\necho 'QEMU emulator version %s (Debian 1:%s+ds-2)'\n"


def program(folder: Path, version: str) -> Path:
    path = folder / emulator.PROGRAM
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT % (version, version))
    path.chmod(0o755)
    return path


class Backports:
    """The packages of a release, or that there are none."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.asked = 0

    def unpack(self, folder: Path) -> None:
        self.asked += 1
        if not self.version:
            raise LabError("download", "nobody answers", "wait")
        program(folder / "usr/bin", self.version)


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, newer: str) -> Backports:
    backports = Backports(newer)
    program(tmp_path / "bin", own)
    monkeypatch.setattr(emulator, "SEARCH_PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(emulator, "_unpack", backports.unpack)
    return backports


@pytest.mark.parametrize(
    ("own", "newer", "expected", "asked"),
    [
        pytest.param("10.1.0", "", (10, 1, 0), 0, id="its own is fast"),
        pytest.param("7.2.22", "10.0.2", (10, 0, 2), 1, id="a newer one"),
        pytest.param("7.2.22", "", (7, 2, 22), 1, id="nobody answers"),
        pytest.param("8.2.2", "8.2.2", (8, 2, 2), 1, id="the newest is the same"),
    ],
)
def test_the_newest_is_taken_and_asked_for_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: str,
    newer: str,
    expected: tuple[int, ...],
    asked: int,
) -> None:
    backports = installed(tmp_path, monkeypatch, own, newer)
    found = {emulator.ensure_emulator(QUIET) for _number in range(2)}
    assert [each.version for each in found] == [expected]
    assert backports.asked == asked


def test_what_was_not_to_be_had_is_asked_for_again_a_day_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backports = installed(tmp_path, monkeypatch, "7.2.22", "")
    emulator.ensure_emulator(QUIET)
    backports.version = "10.0.2"
    assert emulator.ensure_emulator(QUIET).version == (7, 2, 22)
    monkeypatch.setattr(emulator, "ASK_AGAIN_SECONDS", -1)
    assert emulator.ensure_emulator(QUIET).version == (10, 0, 2)


def test_no_qemu_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "SEARCH_PATH", str(tmp_path))
    with pytest.raises(LabError, match="apt-get install qemu-system-x86"):
        emulator.ensure_emulator(QUIET)


def test_each_time_it_is_told_which_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(tmp_path, monkeypatch, "7.2.22", "")
    for _number in range(2):
        emulator.ensure_emulator(Progress())
        told = capsys.readouterr().err
        assert "no newer one was to be had" in told
        assert "emulator: QEMU 7.2.22 (this machine's own)" in told


def test_an_upgrade_of_the_machines_own_leaves_the_unpacked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backports = installed(tmp_path, monkeypatch, "7.2.22", "10.0.2")
    before = emulator.ensure_emulator(QUIET)
    program(tmp_path / "bin", "7.2.99")
    assert emulator.ensure_emulator(QUIET) == before
    program(tmp_path / "bin", "9.9")
    assert emulator.ensure_emulator(QUIET) == before
    assert backports.asked == 1


def test_firmware_is_a_part_of_it(tmp_path: Path) -> None:
    bios = tmp_path / "share" / emulator.FIRMWARE[0]
    bios.parent.mkdir()
    (tmp_path / "qemu").write_text("qemu")
    found = Emulator(tmp_path / "qemu", (10, 0, 2), (bios.parent,))
    seen = []
    for content in ("one", "another"):
        bios.write_text(content)
        seen.append(found.identity)
    assert seen[0] != seen[1]
    assert seen[0][:1] == seen[1][:1]


def test_an_unpacked_one_brings_its_data() -> None:
    unpacked = Emulator(Path("/q/qemu"), (10, 0, 2), (Path("/q/a"), Path("/q/b")))
    assert unpacked.command == ["/q/qemu", "-L", "/q/a", "-L", "/q/b"]
    assert unpacked.title == "QEMU 10.0.2 (unpacked by the lab)"
    assert Emulator(Path("/q/qemu"), (8, 2)).title == "QEMU 8.2 (this machine's own)"


@pytest.mark.parametrize("text", ["", "QEMU", "QEMU emulator version ten"])
def test_version_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="tells no version"):
        emulator.version_of(text)

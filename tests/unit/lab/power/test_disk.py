# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk that grows older write by write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.layout import MIB, ROOT_SIZE
from tests.lab.loaders import LOADERS
from tests.lab.power.disk import Replay, Span, copy, root_of, write_out
from tests.lab.power.log import DISCARD, FLUSH, Entry

ROOT = Span(2 * MIB, 4 * MIB)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return a disk with data at both ends of its root file system, and a hole at the end."""
    path = tmp_path / "start.raw"
    with path.open("wb") as stream:
        for position, data in ((0, b"boot"), (ROOT.offset, b"root"), (ROOT.end - 3, b"endgpt")):
            stream.seek(position)
            stream.write(data)
        stream.truncate(9 * MIB + 512)
    return path


@pytest.mark.parametrize(
    "span",
    [Span(0, 9 * MIB + 512), ROOT, Span(1, 100), Span(8 * MIB, MIB), Span(MIB, ROOT.end - MIB - 1)],
)
def test_copy_of_a_part(disk: Path, tmp_path: Path, span: Span) -> None:
    copy(disk, tmp_path / "copy", span)
    assert (tmp_path / "copy").read_bytes() == disk.read_bytes()[span.offset : span.end]
    assert (tmp_path / "copy").stat().st_blocks * 512 <= 4 * MIB


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        pytest.param(Entry(0, 0, FLUSH), False, id="flush"),
        pytest.param(Entry(ROOT.offset, 512, DISCARD), False, id="discard"),
        pytest.param(Entry(0, 512, 0, b"x" * 512), False, id="before"),
        pytest.param(Entry(ROOT.offset - 512, 512, 0, b"x" * 512), False, id="just before"),
        pytest.param(Entry(ROOT.end, 512, 0, b"x" * 512), False, id="just behind"),
        pytest.param(Entry(ROOT.offset, 4, 0, b"root"), False, id="the same"),
        pytest.param(Entry(ROOT.offset, 512, 0, b"x" * 512), True, id="its first"),
        pytest.param(Entry(ROOT.end - 512, 512, 0, b"x" * 512), True, id="its last"),
        pytest.param(Entry(ROOT.offset - 512, 1024, 0, b"x" * 1024), True, id="over its begin"),
        pytest.param(Entry(ROOT.end - 512, 1024, 0, b"x" * 1024), True, id="over its end"),
        pytest.param(Entry(0, 8 * MIB, 0, b"x" * 8 * MIB), True, id="over all of it"),
    ],
)
def test_replay_keeps_both_copies_alike(
    disk: Path, tmp_path: Path, entry: Entry, changes: bool
) -> None:
    before = disk.read_bytes()
    replay = Replay(disk, ROOT, tmp_path)
    assert replay.apply(entry) is changes
    expected = bytearray(before)
    expected[entry.position : entry.position + len(entry.data)] = entry.data
    assert replay.disk.read_bytes() == expected
    assert replay.root.read_bytes() == expected[ROOT.offset : ROOT.end]
    assert disk.read_bytes() == before


def test_replay_refuses_a_log_of_a_larger_disk(disk: Path, tmp_path: Path) -> None:
    entry = Entry(disk.stat().st_size - 512, 1024, 0, b"x" * 1024)
    with pytest.raises(LabError, match="the disk ends before"):
        Replay(disk, ROOT, tmp_path).apply(entry)


@pytest.mark.parametrize(("count", "start"), [(0, b"boot"), (1, b"aaot"), (2, b"abbt")])
def test_write_out_stops_after_so_many_entries(
    disk: Path, tmp_path: Path, count: int, start: bytes
) -> None:
    before, target = disk.read_bytes(), tmp_path / "boot.raw"
    write_out(disk, [Entry(0, 2, 0, b"aa"), Entry(1, 2, 0, b"bb")], count, target)
    assert target.read_bytes() == start + before[4:]
    assert disk.read_bytes() == before


@pytest.mark.parametrize("name", LOADERS)
def test_root_of_every_loader_is_in_its_last_partition(name: str) -> None:
    layout = LOADERS[name].layout
    assert root_of(layout) == Span(layout.root_offset, ROOT_SIZE)
    assert root_of(layout).end <= layout.disk_size

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The format of dm-log-writes, as the kernel and QEMU write it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.power.log import DISCARD, FLUSH, FUA, MAGIC, MARK, Entry, entries


def head(count: int, sector: int = 512, magic: int = MAGIC, version: int = 1) -> bytes:
    return struct.pack("<QQQI", magic, version, count, sector).ljust(sector, b"\0")


def entry(first: int, sectors: int, flags: int, data: bytes = b"", sector: int = 512) -> bytes:
    return struct.pack("<QQQQ", first, sectors, flags, len(data)).ljust(sector, b"\0") + data


def read(tmp_path: Path, content: bytes) -> list[Entry]:
    log = tmp_path / "writes.log"
    log.write_bytes(content)
    with log.open("rb") as stream:
        return list(entries(stream))


FLUSHED = entry(0, 0, FLUSH)


def test_the_last_entry_may_not_be_counted_yet(tmp_path: Path) -> None:
    assert len(read(tmp_path, head(1) + 2 * FLUSHED)) == 1


@pytest.mark.parametrize("sector", [512, 4096])
def test_entries_of_every_kind(tmp_path: Path, sector: int) -> None:
    data = b"x" * sector * 2
    content = head(5, sector) + b"".join(
        [
            entry(3, 2, FUA, data, sector),
            entry(0, 0, FLUSH, sector=sector),
            entry(7, 9, DISCARD, sector=sector),
            struct.pack("<QQQQ", 0, 0, MARK, 4).ljust(sector, b"m"),
            entry(1, 1, FLUSH | FUA, data[:sector], sector),
        ]
    )
    assert read(tmp_path, content + b"what was there before") == [
        Entry(3 * sector, 2 * sector, FUA, data),
        Entry(0, 0, FLUSH),
        Entry(7 * sector, 9 * sector, DISCARD),
        Entry(0, 0, MARK),
        Entry(sector, sector, FLUSH | FUA, data[:sector]),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "log-foreign", id="empty"),
        pytest.param(bytes(512), "log-foreign", id="zeros"),
        pytest.param(head(0, magic=1), "log-foreign", id="another magic"),
        pytest.param(head(0, version=2), "log-version", id="another version"),
        pytest.param(head(0, sector=512)[:24] + bytes(4), "log-damaged", id="no sector size"),
        pytest.param(head(0), "log-empty", id="counts none"),
        pytest.param(head(0) + 3 * FLUSHED, "log-empty", id="counts none of three"),
        pytest.param(head(1) + 3 * FLUSHED, "log-damaged", id="counts one of three"),
        pytest.param(head(1), "log-truncated", id="no entry"),
        pytest.param(head(1) + entry(0, 0, FLUSH)[:31], "log-truncated", id="half a head"),
        pytest.param(head(1) + entry(0, 2, FUA, b"x" * 600), "log-truncated", id="half the data"),
        pytest.param(head(1) + entry(0, 2**40, FUA), "log-truncated", id="no such length"),
        pytest.param(head(1) + bytes(512), "log-damaged", id="never written"),
        pytest.param(head(1) + entry(0, 1, 16, bytes(512)), "log-damaged", id="unknown flag"),
    ],
)
def test_entries_refuses(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(LabError) as caught:
        read(tmp_path, content)
    assert caught.value.code == code


def test_entries_come_one_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "writes.log"
    with log.open("wb") as stream:
        stream.write(head(3) + entry(5, 1, FUA, b"a" * 512))
        # A hole as long as the data of the second entry, which is never read here.
        stream.write(entry(0, 2**23, FUA))
        stream.truncate(2**33)
    with log.open("rb") as stream:
        assert next(entries(stream)) == Entry(5 * 512, 512, FUA, b"a" * 512)
        assert stream.tell() < 2**20

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of all writes of a disk, in the format of the kernel's dm-log-writes.

QEMU's driver blklogwrites writes it. All numbers are little endian. The first sector holds magic,
version, number of entries and size of a sector. Each entry is a sector with the place and length
of the write, followed by what was written.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import LabError

MAGIC = 0x6A736677736872
VERSION = 1
SUPER = struct.Struct("<QQQI")
HEAD = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
KNOWN_FLAGS = FLUSH | FUA | DISCARD | MARK
# QEMU counts each entry when it has written it, and can be killed in between.
MOST_UNCOUNTED = 1
SECTOR_SIZES = (512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Entry:
    """One request to the disk; only a write has data."""

    position: int
    """Where it begins on the disk, in bytes."""
    length: int
    flags: int
    data: bytes = b""


def entries(log: BinaryIO) -> Iterator[Entry]:
    """Yield the entries of a log in turn; only one at a time is in memory."""
    count, sector = _read_super(log)
    log.seek(sector)
    if not count:
        raise _refused("log-empty", "the log counts no entry, so that it shows nothing")
    for number in range(count):
        yield _read_entry(log, number, sector)
    _refuse_more(log, count, sector)


def _refuse_more(log: BinaryIO, count: int, sector: int) -> None:
    """Refuse a log that goes on behind its end by more than what was on its way to the disk."""
    try:
        for number in range(count, count + MOST_UNCOUNTED + 1):
            _read_entry(log, number, sector)
    except LabError:
        return
    raise _refused("log-damaged", f"the log counts {count} entries, and goes on behind them")


def _read_super(log: BinaryIO) -> tuple[int, int]:
    log.seek(0)
    head = log.read(SUPER.size)
    if len(head) < SUPER.size:
        raise _refused("log-foreign", f"a file of {len(head)} bytes is no log of writes")
    magic, version, count, sector = SUPER.unpack(head)
    if magic != MAGIC:
        raise _refused("log-foreign", f"a log of writes does not begin with {magic:#x}")
    if version != VERSION:
        raise _refused("log-version", f"the log's version is {version}, not {VERSION}")
    if sector not in SECTOR_SIZES:
        raise _refused("log-damaged", f"the log's sectors have {sector} bytes")
    return count, sector


def _read_entry(log: BinaryIO, number: int, sector: int) -> Entry:
    head = _read(log, sector, number)
    first, sectors, flags, _length = HEAD.unpack(head[: HEAD.size])
    # The part of a sparse log that was never written is such an entry: no request is like it.
    if flags & ~KNOWN_FLAGS or not (flags or sectors):
        raise _refused("log-damaged", f"entry {number} has flags {flags:#x}, {sectors} sectors")
    # A mark's text is in the entry's own sector, and a discard has no data.
    stored = 0 if flags & (DISCARD | MARK) else sectors * sector
    return Entry(first * sector, sectors * sector, flags, _read(log, stored, number))


def _read(log: BinaryIO, length: int, number: int) -> bytes:
    # A damaged length must not become a reading of all that memory holds.
    left = os.fstat(log.fileno()).st_size - log.tell()
    if length > left:
        raise _refused(
            "log-truncated", f"the log ends {length - left} bytes short of entry {number}"
        )
    return log.read(length)


def _refused(code: str, found: str) -> LabError:
    return LabError(code, found, "record it anew with QEMU's blklogwrites, and do not cut it")

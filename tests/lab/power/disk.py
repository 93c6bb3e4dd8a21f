# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk as it is after a part of its log of writes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import LabError
from ..layout import MIB, ROOT_SIZE, Layout
from .log import Entry


@dataclass(frozen=True)
class Span:
    """A part of a disk, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def root_of(layout: Layout) -> Span:
    """Return where the root file system of a machine's disk is."""
    return Span(layout.root_offset, ROOT_SIZE)


def copy(source: Path, target: Path, span: Span | None = None) -> None:
    """Copy a disk or a part of it, and leave out what is empty."""
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        whole = span or Span(0, os.fstat(old.fileno()).st_size)
        new.truncate(whole.length)
        for position in _chunks_with_data(old.fileno(), whole):
            chunk = os.pread(old.fileno(), min(MIB, whole.end - position), position)
            if chunk.count(0) != len(chunk):
                os.pwrite(new.fileno(), chunk, position - whole.offset)


def _chunks_with_data(descriptor: int, span: Span) -> Iterator[int]:
    position = span.offset
    while position < span.end:
        try:
            data = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            # Nothing but a hole is left.
            return
        position += (data - position) // MIB * MIB
        if position < span.end:
            yield position
        position += MIB


class Replay:
    """Two copies of a disk: the whole, and its root file system alone, both kept up to date.

    The copy of the file system is for tools that change it and put it back as it was.
    """

    def __init__(self, start: Path, root: Span, folder: Path) -> None:
        self.disk, self.root = folder / "disk.raw", folder / "root.raw"
        self.span = root
        copy(start, self.disk)
        copy(start, self.root, root)

    def apply(self, entry: Entry) -> bool:
        """Do what an entry says; return whether the root file system has changed by it.

        A discard has no data and leaves what was there. What a disk returns after one is its own
        affair; QEMU's keeps the data unless it is told otherwise, so that a replay ends like it.
        """
        span = Span(entry.position, len(entry.data))
        if not span.length:
            return False
        if span.end > self.disk.stat().st_size:
            raise LabError(
                "log-foreign",
                f"an entry writes up to byte {span.end}, and the disk ends before",
                "replay a log on a copy of the disk that it was begun with",
            )
        with self.disk.open("r+b", buffering=0) as disk:
            same = os.pread(disk.fileno(), span.length, span.offset) == entry.data
            if not same:
                os.pwrite(disk.fileno(), entry.data, entry.position)
        first, end = max(span.offset, self.span.offset), min(span.end, self.span.end)
        if same or first >= end:
            return False
        with self.root.open("r+b", buffering=0) as root:
            data = entry.data[first - span.offset : end - span.offset]
            os.pwrite(root.fileno(), data, first - self.span.offset)
        return True


def write_out(start: Path, log: Iterable[Entry], count: int, target: Path) -> None:
    """Make a disk as it is after so many entries, to be booted."""
    copy(start, target)
    with target.open("r+b", buffering=0) as disk:
        for _number, entry in zip(range(count), log, strict=False):
            os.pwrite(disk.fileno(), entry.data, entry.position)

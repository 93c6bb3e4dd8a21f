# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files as a boot loader finds them and as the kernel will, in a disk that nobody mounts.

Boot loaders do not replay the journal and the kernel does, so that after a power cut the two can
see different files under one name.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..commands import run
from ..errors import LabError
from . import debugfs
from .debugfs import Inode
from .disk import Replay

# Where ext4 has the logarithm of its blocks' size.
_BLOCK_SIZE = (1024 + 24, struct.Struct("<I"))
_MOST_LINKS = 8
_MOST_KEPT = 16
# Small enough to stay in the processor's cache while it is compared.
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    data: bytes
    size: int
    """How much it is said to hold; of a damaged file less can be read."""

    @cached_property
    def sum(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


Look = Callable[[str], Content | None]
# A place in the file that holds the disk, and what was there.
Block = tuple[int, bytes]


class _Kept(NamedTuple):
    content: Content
    blocks: list[Block]


class Reader:
    """Reads files of a file system that changes between two times of looking.

    A file is read anew unless its inode says the same as before and every block of it is the same:
    a kernel is large, and it rarely changes.
    """

    def __init__(self, file: Path, offset: int, folder: Path) -> None:
        self._file, self._offset = file, offset
        self._image = f"{file}?offset={offset}" if offset else str(file)
        self._draft = folder / "draft"
        self._asked: list[str] = []
        self._inodes: dict[str, Inode | None] = {}
        self._kept: dict[str, _Kept] = {}

    def begin(self, commands: Sequence[str] = (), options: Sequence[str] = ()) -> list[str]:
        """Forget what was seen; return what debugfs says to commands that come before.

        All that was asked for last time is asked for at once.
        """
        script = [*commands, *map(debugfs.stat, self._asked)]
        answers = debugfs.ask(self._image, script, options) if script else []
        told = map(debugfs.inode, answers[len(commands) :])
        self._inodes = dict(zip(self._asked, told, strict=True))
        self._asked = []
        return answers[: len(commands)]

    def look(self, path: str) -> Content | None:
        """Return the content of a file; symbolic links are followed."""
        for _number in range(_MOST_LINKS):
            inode = self._inode(path)
            if inode is None or inode.kind == "directory":
                return None
            if inode.kind != "symlink":
                return self._content(path, inode)
            target = inode.link or self._read(path).decode(errors="replace")
            path = os.path.join(os.path.dirname(path), target)
        return None

    def _inode(self, path: str) -> Inode | None:
        if not debugfs.can_name(path):
            return None
        if path not in self._inodes:
            (printed,) = debugfs.ask(self._image, [debugfs.stat(path)])
            self._inodes[path] = debugfs.inode(printed)
        if path not in self._asked:
            self._asked.append(path)
        return self._inodes[path]

    def _content(self, path: str, inode: Inode) -> Content:
        kept = self._kept.get(inode.text)
        if kept is None or not self._is_same(kept.blocks):
            kept = _Kept(Content(self._read(path), inode.size), list(self._blocks(inode)))
            self._kept[inode.text] = kept
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return kept.content

    def _blocks(self, inode: Inode) -> Iterator[Block]:
        with self._file.open("rb", buffering=0) as stream:
            place, form = _BLOCK_SIZE
            (logarithm,) = form.unpack(os.pread(stream.fileno(), form.size, self._offset + place))
            # An inode that was never whole may name blocks that no disk has.
            limit = os.fstat(stream.fileno()).st_size
            for span in inode.blocks(1024 << logarithm):
                end = min(limit, self._offset + span.end)
                for position in range(self._offset + span.offset, end, _CHUNK):
                    length = min(_CHUNK, end - position)
                    yield position, os.pread(stream.fileno(), length, position)

    def _is_same(self, blocks: Sequence[Block]) -> bool:
        with self._file.open("rb", buffering=0) as stream:
            descriptor = stream.fileno()
            return bool(blocks) and all(
                os.pread(descriptor, len(data), position) == data for position, data in blocks
            )

    def _read(self, path: str) -> bytes:
        self._draft.unlink(missing_ok=True)
        command = f"dump {debugfs.quote(path)} {debugfs.quote(str(self._draft))}"
        debugfs.ask(self._image, [command])
        return self._draft.read_bytes() if self._draft.exists() else b""


@contextmanager
def boot_loaders(reader: Reader) -> Iterator[Look]:
    """Look at the disk as it is."""
    reader.begin()
    yield reader.look


@contextmanager
def kernels(reader: Reader, replay: Replay) -> Iterator[Look]:
    """Look at the file system with its journal replayed, and take the replay back."""
    undo = replay.root.with_name("undo")
    undo.unlink(missing_ok=True)
    _said, features = reader.begin(["journal_run", "features"], ["-w", "-z", str(undo)])
    try:
        if "needs_recovery" in features or "has_journal" not in features:
            raise LabError(
                "journal",
                f"the journal of {replay.root} is not replayed: {features.strip()}",
                "look at it with `debugfs -w -R journal_run`",
            )
        yield reader.look
    finally:
        run(["e2undo", undo, replay.root])

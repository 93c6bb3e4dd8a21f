# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The log of an XFS, until what is in it is in its place on the disk, too.

A sync leaves changes of directories and inodes in the log alone. Only a freeze, an unmount or a
read-only mount writes them to their places at once; by itself the kernel does so every
fs.xfs.xfssyncd_centisecs, which are thirty seconds. That is waited for, because nothing can be left
behind by a wait that is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t
from dataclasses import dataclass

SYSFS = "/sys"

# In seconds. The kernel may take its thirty seconds once, and a disk that is busy some more.
LIMIT = 100.0
PAUSE = 2.0

# A cycle and a block in it, which order the places in the log.
_PLACE = re.compile(r"(\d+):(\d+)\s*")
Position = tuple[int, int]


@dataclass(frozen=True)
class XfsLog:
    """What sysfs shows of the log of one file system."""

    folder: str
    now: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep

    def wait_until_written_back(self, directory: int) -> bool:
        """Wait for what is in the log now, but not without end."""
        end = self._place("head")
        until = self.now() + LIMIT
        while end is not None:
            _move_on(directory)
            start = self._place("tail")
            if start is not None and start >= end:
                return True
            if start is None or self.now() >= until:
                break
            self.sleep(PAUSE)
        return False

    def _place(self, of: str) -> Position | None:
        """Where the log ends, or starts: what is before its start has been written back."""
        try:
            with open(os.path.join(self.folder, f"log_{of}_lsn"), encoding="ascii") as file:
                match = _PLACE.fullmatch(file.read())
        except (OSError, UnicodeDecodeError):
            return None
        return (int(match[1]), int(match[2])) if match else None


def of(directory: int, sysfs: str = SYSFS) -> XfsLog | None:
    """The log of the file system of a directory, None if it is no XFS, or sysfs shows none."""
    device = os.fstat(directory).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    name = os.path.basename(os.path.realpath(os.path.join(sysfs, "dev/block", number)))
    folder = os.path.join(sysfs, "fs/xfs", name, "log")
    return XfsLog(folder) if os.path.isdir(folder) else None


def _move_on(directory: int) -> None:
    """Write to the log, which otherwise keeps its start at the last change that it holds.

    It also makes the disk empty its cache. The file has no name, and is gone when it is closed.
    """
    path = f"/proc/self/fd/{directory}"
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

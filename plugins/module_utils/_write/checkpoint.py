# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The journal of a file system written back, for boot loaders, which do not replay it.

Nothing is frozen for it. A freeze would write every journal back at once, but a process that is
killed before the thaw leaves a file system to which nobody can write, and no second process can be
sure to outlive the first.
"""

from __future__ import annotations

import fcntl
import os
import struct

from .._host import machine
from . import xfs_log

# _IOW('f', 43, __u32) of ext4, from Linux 5.15 on; PowerPC has its own number for "write".
CHECKPOINT = 0x4004662B
CHECKPOINT_ON_POWERPC = 0x8004662B
NO_FLAGS = struct.pack("I", 0)


def checkpoint(directory: str) -> None:
    """Let everything that the kernel sees be found by those who read the disk.

    Each file system gets what it needs for that. No failure here is one of the files, which are
    written already.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        os.sync()
        return
    try:
        _write_back(descriptor)
    finally:
        os.close(descriptor)


def _write_back(directory: int) -> None:
    """ext4 says that it is one by doing what it is asked for, and XFS by its log in sysfs.

    What is left has no journal, such as vfat, tmpfs, or ext2, or is read by boot loaders as it was
    when it was last synced, such as btrfs.
    """
    if _write_journal_of_ext4(directory):
        return
    sync_file_system(directory)
    log = xfs_log.of(directory)
    if log is not None:
        log.wait_until_written_back(directory)


def _write_journal_of_ext4(directory: int) -> bool:
    powerpc = os.uname().machine.startswith("ppc")
    try:
        fcntl.ioctl(directory, CHECKPOINT_ON_POWERPC if powerpc else CHECKPOINT, NO_FLAGS)
    except OSError:
        return False
    return True


def sync_file_system(descriptor: int) -> None:
    """Sync one file system; others may be busy, or hang because a server is gone."""
    if machine.call_library("syncfs", descriptor) != 0:
        os.sync()

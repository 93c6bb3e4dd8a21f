# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The journal of a file system written back, for boot loaders, which do not replay it."""

from __future__ import annotations

import fcntl
import os
import struct

# Of Linux 5.15 and later. PowerPC numbers it differently, and syncs.
EXT4_IOC_CHECKPOINT = 0x4004662B
NO_FLAGS = struct.pack("I", 0)


def checkpoint(directory: str) -> None:
    """Let everything that the kernel sees be found by those who read the disk.

    Where there is no such call, or it is not allowed, everything is synced: no failure here is one
    of the files, which are written already.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_CHECKPOINT, NO_FLAGS)
        finally:
            os.close(descriptor)
    except OSError:
        os.sync()

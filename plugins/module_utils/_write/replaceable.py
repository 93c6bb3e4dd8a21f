# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What stands in the way of a file that is to be replaced, found before anything is written."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from dataclasses import dataclass

from .._host import mounts
from .._host.port import Host
from .._reasons import ReasonError, reason
from . import boot_file

_REMEDIES = {
    errno.EROFS: "Mount the file system writable.",
    errno.ENOSPC: "Free space on the file system.",
    errno.EDQUOT: "Free space on the file system.",
    errno.EACCES: "Run the task as root.",
    errno.EPERM: "Run the task as root. See with lsattr whether the file or its directory is "
    "immutable or append-only, and take that away with chattr.",
    errno.ESTALE: "Run the task again, and see what else writes it.",
    errno.EAGAIN: "Wait until the other run of this collection has ended.",
    errno.ENOENT: "Make the directory, or mount what it is on.",
    errno.EBUSY: "Unmount what is mounted over the file, or edit it where it is mounted from.",
    errno.EMLINK: "Remove its other names, or make it a file of its own with cp -p and mv. "
    "find -xdev -samefile lists the names.",
}

# Of linux/fs.h. With either of them a file or the names in a directory cannot be replaced.
IMMUTABLE = 0x10
APPEND_ONLY = 0x20
GETFLAGS = 0x80006601
# Where the two bits that mean "read" are others.
GETFLAGS_ON_POWERPC = 0x40006601


@dataclass(frozen=True)
class Place:
    """What matters of a file and of its directory; of a file that is missing nothing does."""

    has_directory: bool = True
    read_only: bool = False
    has_room: bool = True
    allowed: bool = True
    mount_point: bool = False
    flags: int = 0
    other_names: int = 0


def obstacle(place: Place) -> tuple[str, int] | None:
    """Why a file cannot be replaced, and the number of the error that it would be."""
    obstacles = (
        (not place.has_directory, "there is no such directory", errno.ENOENT),
        (place.read_only, os.strerror(errno.EROFS), errno.EROFS),
        (not place.has_room, os.strerror(errno.ENOSPC), errno.ENOSPC),
        (not place.allowed, os.strerror(errno.EACCES), errno.EACCES),
        (place.mount_point, "something is mounted over it", errno.EBUSY),
        (bool(place.flags & IMMUTABLE), "it or its directory is immutable", errno.EPERM),
        (bool(place.flags & APPEND_ONLY), "it or its directory is append-only", errno.EPERM),
        (bool(place.other_names), _linked(place.other_names), errno.EMLINK),
    )
    return next(((why, number) for stands, why, number in obstacles if stands), None)


def _linked(count: int) -> str:
    names = "another name" if count == 1 else f"{count} other names"
    return f"it has {names} (hard links), which would be left with the old content"


def check(
    host: Host, path: str, size: int = 0, *, opened_up: bool = False, by_a_command: bool = False
) -> None:
    """Refuse what could not be replaced by a file of a size.

    A medium that is to be opened up may be read-only as yet. Where a command of the host writes the
    file, it is the command that keeps hard links or not.
    """
    try:
        place = _look(host, path, size, opened_up=opened_up, by_a_command=by_a_command)
    except OSError as error:
        raise refusal(path, error) from error
    found = obstacle(place)
    if found is not None:
        raise unwritable(path, *found)


def has_room(status: os.statvfs_result, size: int) -> bool:
    """Tell whether a file can be there together with the old one for a moment.

    A file system that counts no blocks or no inodes, as btrfs may, has to be tried.
    """
    no_inode = status.f_files and not status.f_ffree
    no_block = status.f_blocks and status.f_bfree * status.f_frsize < size
    return not (no_inode or no_block)


def _look(host: Host, path: str, size: int, *, opened_up: bool, by_a_command: bool) -> Place:
    target = os.path.realpath(host.real(path))
    directory = os.path.dirname(target)
    if not os.path.isdir(directory):
        return Place(has_directory=False)
    status = os.statvfs(directory)
    read_only = bool(status.f_flag & os.ST_RDONLY)
    return Place(
        read_only=read_only and not opened_up,
        has_room=has_room(status, size),
        allowed=read_only or os.access(directory, os.W_OK),
        mount_point=_is_mount_point(host, target),
        flags=_flags(directory) | _flags(target),
        other_names=0 if by_a_command else _other_names(target),
    )


def _is_mount_point(host: Host, target: str) -> bool:
    """By the kernel's list alone: to look at a mount whose server is gone would never end."""
    root = os.path.realpath(host.real("/"))
    return any(os.path.join(root, each.lstrip("/")) == target for each in mounts.points(host))


def _other_names(target: str) -> int:
    """The names of the same inode but for this one and those that this collection gave it."""
    try:
        status = os.stat(target)
    except OSError:
        return 0
    own = sum(_leads_to(status, name) for name in boot_file.own_names(target))
    return status.st_nlink - 1 - own


def _leads_to(status: os.stat_result, name: str) -> bool:
    try:
        return os.path.samestat(status, os.lstat(name))
    except OSError:
        return False


def _flags(path: str) -> int:
    """The attributes that chattr sets; many file systems have none."""
    powerpc = os.uname().machine.startswith("ppc")
    size = struct.calcsize("l")
    number = (GETFLAGS_ON_POWERPC if powerpc else GETFLAGS) | size << 16
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        answer: bytes = fcntl.ioctl(descriptor, number, bytes(size))
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    # The kernel answers with an int, though the number of the call has the size of a long.
    return int(struct.unpack_from("i", answer)[0])


def refusal(path: str, error: OSError) -> ReasonError:
    return unwritable(path, error.strerror or str(error), error.errno or errno.EIO)


def unwritable(path: str, why: str, number: int) -> ReasonError:
    return ReasonError(
        reason(
            "boot_config_unwritable",
            f"{path} cannot be written: {why}.",
            _REMEDIES.get(number, "See the host's log and check the file system."),
        ),
        stage="write",
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A new file beside the one that it is to replace: whole, on the disk, and like the old one."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

NEW_FILE_MODE = 0o644

_NO_ATTRIBUTES = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})
_REFUSED = frozenset({errno.EPERM, errno.EACCES})

# They vouch for the old content. The kernel makes those of the new one, where it needs them.
_OF_THE_CONTENT = frozenset({"security.ima", "security.evm"})


def make(path: str, pieces: t.Iterable[bytes], like: str, mode: int | None = None) -> None:
    """Write a file anew, with owner, mode and extended attributes of another if that is there.

    A mode that is given is the one that it gets.
    What a run that was killed left under the name is of no use to anybody.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            # Behind the writing, which takes capabilities away.
            _take_over(file.fileno(), like)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        remove(path)
        raise


def remove(path: str) -> None:
    """Remove a draft that is not needed; what cannot be removed is taken over by the next one."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _take_over(descriptor: int, like: str) -> None:
    """Owner and mode of the old file; where they are the same, vfat would refuse the call."""
    own = os.fstat(descriptor)
    try:
        old = os.stat(like)
    except FileNotFoundError:
        os.fchmod(descriptor, NEW_FILE_MODE)
        return
    if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    # Behind the owner, with which the kernel takes capabilities away, and before the mode, which
    # means another thing where there is an access control list.
    _take_over_attributes(descriptor, like)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != stat.S_IMODE(old.st_mode):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _take_over_attributes(descriptor: int, like: str) -> None:
    """The extended attributes: access control lists, capabilities, labels, and those of users."""
    wanted = {name: os.getxattr(like, name) for name in _attributes(like)}
    for name in _attributes(descriptor):
        # A directory can give its new files an access control list that the old one does not have.
        if name not in wanted and name.startswith("system."):
            os.removexattr(descriptor, name)
    for name, value in wanted.items():
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if not _is_for_the_kernel(name, error):
                raise


def _attributes(of: str | int) -> list[str]:
    """Their names; a file system that knows none is no failure."""
    try:
        names = os.listxattr(of)
    except OSError as error:
        if error.errno in _NO_ATTRIBUTES:
            return []
        raise
    return [name for name in names if name not in _OF_THE_CONTENT]


def _is_for_the_kernel(name: str, error: OSError) -> bool:
    """A label that a security module lets nobody set, and sets itself by its own rules."""
    return name.startswith("security.") and error.errno in _NO_ATTRIBUTES | _REFUSED

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Files that a boot loader reads: a power cut at any moment leaves it the old or the new one.

A boot loader does not replay the journal, and the kernel writes directories and inodes back block
by block. While a name may lead to either of two inodes, both have to be on the disk: the new one is
there before it gets the name, and the old one stays under a second name. Without that the boot
loader reads an empty file for up to half a minute.
"""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t
from dataclasses import dataclass

# The leading dot hides them from what looks for kernels by their names. They are the same for every
# run, so that what a run that was killed leaves behind is taken over by the next one.
OLD = ".boot-parameter-old"
NEW = ".boot-parameter-new"
DRAFT = ".boot-parameter-draft"
# Beside settings of which images are still to be made, which cannot be read themselves.
OWED = ".boot-parameter-owed"

# How file systems without hard links, such as vfat, refuse one.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})


@dataclass(frozen=True)
class BootFile:
    """A file by its path, which leads through no symbolic link, and what writes the journal back.

    The path may be that of a symbolic link itself, which then is what is kept and put back.
    """

    path: str
    checkpoint: t.Callable[[str], None]

    @property
    def directory(self) -> str:
        return os.path.dirname(self.path)

    @property
    def old(self) -> str:
        """The second name of what was there before the last change."""
        return beside(self.path, OLD)

    @property
    def _new(self) -> str:
        """The name of what a command wrote, until it is on the disk."""
        return beside(self.path, NEW)

    def put(self, source: str) -> None:
        """Put a file, whose content is on the disk, in place of this one."""
        self._keep(source)
        self.checkpoint(self.directory)
        with _held_open(self.path):
            try:
                os.replace(source, self.path)
            except OSError:
                self.forget()
                raise
            sync_directory(self.directory)
            self.checkpoint(self.directory)

    def keep(self) -> None:
        """Give the file a second name, in place of that of the last change."""
        self._keep()

    def tidy(self) -> None:
        """Remove what only a run that was killed leaves: what it had not put in place yet."""
        self._remove([self._new, beside(self.path, DRAFT)])

    def _remove(self, names: t.Iterable[str]) -> None:
        left = [name for name in names if os.path.lexists(name)]
        if left:
            # That run may also have left the file's own name on its way from one inode to the
            # other, so that the boot loader could be led to any of these.
            self.checkpoint(self.directory)
        for name in left:
            os.unlink(name)

    def _keep(self, source: str | None = None) -> None:
        self._remove(name for name in (self.old, self._new) if name != source)
        try:
            os.link(self.path, self.old, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        sync_directory(self.directory)

    def discard_old(self) -> None:
        """Remove what was there before the last change, which is on the disk by now."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.old)

    def forget(self) -> None:
        """Remove the second name of a file that did not give up its first one."""
        if self._is_kept():
            os.unlink(self.old)

    def settle(self) -> None:
        """Put what a command wrote in place anew, by the order that the command did not keep."""
        if not os.path.exists(self.path):
            return
        if self._take_back():
            _sync_file(self._new)
            self.put(self._new)
            return
        # It was written in place, so that no other inode can be taken for it.
        _sync_file(self.path)
        self.forget()
        self.checkpoint(self.directory)

    def undo(self) -> None:
        """Put the old file back in place of what a command wrote, which then stays beside it."""
        if not self._take_back():
            return
        if os.path.lexists(self._new):
            os.replace(self._new, self.old)
        sync_directory(self.directory)
        self.checkpoint(self.directory)

    def _take_back(self) -> bool:
        """Let the name lead to the old inode, if a command gave it to another one."""
        if not os.path.lexists(self.old) or self._is_kept():
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._new)
        with contextlib.suppress(FileNotFoundError):
            os.link(self.path, self._new, follow_symlinks=False)
        os.replace(self.old, self.path)
        return True

    def _is_kept(self) -> bool:
        """Tell whether both names lead to the same inode."""
        try:
            return os.path.samestat(os.lstat(self.path), os.lstat(self.old))
        except OSError:
            # No such name, or none that there could be.
            return False


def beside(path: str, suffix: str) -> str:
    """A name of this collection's own in the directory of a file."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}{suffix}")


def own_names(path: str) -> list[str]:
    """The names that this collection may have given to the inode of a file."""
    return [beside(path, suffix) for suffix in (OLD, NEW, DRAFT)]


@contextlib.contextmanager
def _held_open(path: str) -> t.Iterator[None]:
    """Let a file that loses its last name stay whole until the new one is on the disk.

    Without hard links, as on vfat, the kernel would give its space up at once, and the disk may
    hear of that before it hears of the new file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.close(descriptor)


def sync_directory(directory: str) -> None:
    """Make the new name last; some file systems cannot, and the file is in place all the same."""
    with contextlib.suppress(OSError):
        _sync_file(directory)


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The port for writing: files are replaced as a whole, and put back if a later step fails."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
import typing as t
from dataclasses import dataclass, field

from .._host.port import FileProblemError, Host
from .._reasons import ReasonError
from . import draft
from .boot_file import DRAFT, BootFile, beside, sync_directory
from .replaceable import has_room, refusal, unwritable


def read_or_refuse(host: Host, path: str) -> bytes | None:
    """The bytes of a file, None if it is not there; one that cannot be read is not empty."""
    try:
        with host.open(path) as file:
            return file.read()
    except FileProblemError as problem:
        if problem.problem == "missing":
            return None
        raise unwritable(path, f"it is {problem.problem}", errno.EIO) from problem
    except OSError as error:
        raise refusal(path, error) from error


def text_or_refuse(host: Host, path: str) -> str | None:
    """The text of a file that may be changed, None if it is not there."""
    content = read_or_refuse(host, path)
    return None if content is None else content.decode("utf-8", "surrogateescape")


@dataclass
class Writer:
    """Writes files, and knows how they were before the first write."""

    host: Host
    # Those that a boot loader reads, which sees the disk as it is.
    boot: t.Collection[str] = ()
    _before: dict[str, bytes | None] = field(default_factory=dict)
    # What this run has written last, which is not somebody else's.
    _written: dict[str, bytes] = field(default_factory=dict)
    # Those of which the second name is of this run, and not of an earlier one or of somebody else.
    _placed: set[str] = field(default_factory=set)
    # The last good ones, which a command may write into.
    _revived: dict[str, bytes | None] = field(default_factory=dict)
    # Those of files that get another one, or are removed.
    _modes: dict[str, int] = field(default_factory=dict)
    # Under both names, where a link leads from one to the other: a command may replace either.
    _kept: dict[str, list[BootFile]] = field(default_factory=dict)

    def tidy(self, paths: t.Iterable[str]) -> None:
        """Remove what a run that was killed left beside files; what cannot be is in nobody's way."""
        for path in paths:
            with contextlib.suppress(OSError):
                self._boot_file(path).tidy()

    def remember(self, path: str) -> None:
        """Take down what a command may change, so that it can be put back."""
        if path not in self._before:
            self._before[path] = self._read(path)

    def _read(self, path: str) -> bytes | None:
        return read_or_refuse(self.host, path)

    def expect(self, path: str, content: bytes | None) -> None:
        """Refuse a file that is another one than that of which the new one was made."""
        self.remember(path)
        if self._before[path] != content:
            raise _changed_meanwhile(path)

    def write(self, path: str, content: bytes, mode: int | None = None) -> None:
        """Write a file that is like the old one, but for its mode if one is given."""
        self.remember(path)
        try:
            if mode is not None:
                self._remember_mode(path)
            _check_room(self.host.real(path), len(content))
            self._put(path, content, self._refuse_another, mode)
            self._written[path] = content
        except OSError as error:
            raise refusal(path, error) from error

    def remove(self, path: str) -> None:
        """Remove a file that is nobody else's, and may be put back."""
        self.remember(path)
        try:
            self._remember_mode(path)
            self._refuse_another(path)
            os.unlink(self.host.real(path))
            sync_directory(os.path.dirname(self.host.real(path)))
        except OSError as error:
            raise refusal(path, error) from error

    def _remember_mode(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._modes.setdefault(path, stat.S_IMODE(os.stat(self.host.real(path)).st_mode))

    def keep(self, path: str) -> None:
        """Have the old file stay whole while a command makes a new one.

        A command may also write into the old one, which only what was remembered can mend.
        """
        kept = self._kept.setdefault(path, [])
        try:
            for name in _names(self.host.real(path)):
                boot_file = BootFile(name, self.host.checkpoint)
                boot_file.keep()
                kept.append(boot_file)
        except OSError as error:
            raise refusal(path, error) from error

    def second(self, path: str) -> str | None:
        """The text of what has the second name: the file before the last change."""
        try:
            name = self._boot_file(path).old
            if not stat.S_ISREG(os.lstat(name).st_mode):
                return None
            with open(name, "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
        except OSError:
            return None

    def revive(self, path: str) -> None:
        """Put what has the second name back, and keep what is there under that one."""
        try:
            self._boot_file(path).undo()
        except OSError as error:
            raise refusal(path, error) from error
        self._revived[path] = self._read(path)

    def settle(self, path: str) -> None:
        """Make last what a command made."""
        try:
            for boot_file in self._kept[path]:
                boot_file.settle()
        except OSError as error:
            raise refusal(path, error) from error

    def take(self, path: str) -> bytes | None:
        """The content of what a command made for us alone, which is no longer needed then."""
        content = self._read(path)
        self.discard(path)
        return content

    def discard(self, path: str) -> None:
        """Remove what is nobody else's, as a run that was killed may have left it."""
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.host.real(path))
        except OSError as error:
            raise refusal(path, error) from error

    def mark(self, path: str) -> None:
        """Make an empty file last, before anything is written of which it tells."""
        real = self.host.real(path)
        try:
            draft.make(real, [], like=real)
            sync_directory(os.path.dirname(real))
        except OSError as error:
            raise refusal(path, error) from error

    def sync(self, path: str) -> None:
        """Have what is under the path be on the disk, however it came there."""
        self.host.checkpoint(os.path.dirname(os.path.realpath(self.host.real(path))))

    def back_up(self, path: str) -> str:
        """Copy a file with its owner, mode and times beside it, named as core modules name it."""
        name = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S', time.localtime())}~"
        # A vfat file system takes no colon.
        name = f"{os.path.dirname(name)}/{os.path.basename(name).replace(':', '.')}"
        content = self._read(path) or b""
        try:
            _check_room(self.host.real(path), len(content))
            _replace(self.host.real(path), content, _put_plainly(self.host.real(name)))
        except OSError as error:
            raise refusal(name, error) from error
        # A copy of what did not change in the end is of no use.
        self._before[name] = None
        return name

    def restore(self) -> list[str]:
        """Put everything back that has changed; what could not be is returned as sentences."""
        problems = []
        for path in dict.fromkeys([*reversed(self._before), *self._kept]):
            try:
                self._restore(path)
            except (OSError, ReasonError) as error:
                problems.append(f"{path}: {error}")
        return problems

    def _restore(self, path: str) -> None:
        kept = self._kept.get(path, [])
        # What was kept may have been a link, which its content does not tell.
        for boot_file in kept or (self._changed(path) if path in self._placed else ()):
            boot_file.undo()
        if self._changed(path):
            self._put_back(path, self._before[path])
        if path in self._modes:
            os.chmod(self.host.real(path), self._modes[path])
        for boot_file in kept or [self._boot_file(path)]:
            boot_file.forget()
        for boot_file in kept:
            # Left by a settling that failed, and in nobody's way.
            with contextlib.suppress(OSError):
                boot_file.tidy()

    def _changed(self, path: str) -> list[BootFile]:
        """The file, if it is not as it was; of one that is only kept the content is not known."""
        same = path not in self._before or self._read(path) == self._before[path]
        return [] if same else [self._boot_file(path)]

    def _put_back(self, path: str, content: bytes | None) -> None:
        if content is None:
            os.unlink(self._boot_file(path).path)
            return
        good = self._revived.get(path)
        if good is not None and good != content:
            # It is then what has the second name again.
            self._put(path, good)
        self._put(path, content)

    def _refuse_another(self, path: str) -> None:
        """Refuse to write over what somebody else wrote since it was read."""
        if self._read(path) != self._written.get(path, self._before[path]):
            # What it was is of no use to anybody now.
            del self._before[path]
            raise _changed_meanwhile(path)

    def _put(
        self,
        path: str,
        content: bytes,
        see: t.Callable[[str], None] = lambda _path: None,
        mode: int | None = None,
    ) -> None:
        """Put a new content in place, after the last look that somebody wants to have."""
        boot_file = self._boot_file(path)
        plainly = _put_plainly(boot_file.path)

        def put(new: str) -> None:
            see(path)
            if path in self.boot:
                self._place(path, boot_file, new)
            else:
                plainly(new)

        _replace(boot_file.path, content, put, mode)

    def _place(self, path: str, boot_file: BootFile, new: str) -> None:
        self._placed.add(path)
        boot_file.put(new)

    def _boot_file(self, path: str) -> BootFile:
        """A link stays one, and its target is replaced."""
        return BootFile(os.path.realpath(self.host.real(path)), self.host.checkpoint)


def _changed_meanwhile(path: str) -> ReasonError:
    return unwritable(path, "somebody else has changed it meanwhile", errno.ESTALE)


def _names(path: str) -> list[str]:
    """The path itself, and where a link at its end leads to, with no link before that."""
    directory, name = os.path.split(path)
    own = os.path.join(os.path.realpath(directory), name)
    return list(dict.fromkeys([own, os.path.realpath(path)]))


def _replace(
    path: str, content: bytes, put: t.Callable[[str], None], mode: int | None = None
) -> None:
    """Make a draft of a file that is like the old one, and put it where it belongs."""
    new = beside(path, DRAFT)
    draft.make(new, [content], like=path, mode=mode)
    try:
        put(new)
    except BaseException:
        draft.remove(new)
        raise


def _put_plainly(path: str) -> t.Callable[[str], None]:
    """How a file gets its name that no boot loader reads."""

    def put(new: str) -> None:
        os.replace(new, path)
        sync_directory(os.path.dirname(path))

    return put


def _check_room(path: str, size: int) -> None:
    """Refuse what is full before anything is written; such a file system may be read-only, too."""
    status = os.statvfs(os.path.dirname(os.path.realpath(path)))
    if status.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not has_room(status, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

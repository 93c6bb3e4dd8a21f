# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The port to the host: the only place where modules touch files and commands."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
import typing as t
from dataclasses import dataclass

from .._cmdline import SPACES

# Images are large, and hosts may have little memory.
PIECE = 1 << 20


def lines(text: str) -> list[str]:
    """The lines of a text, which only line feeds part."""
    return text.removesuffix("\n").split("\n") if text else []


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    rc: int
    stdout: str
    stderr: str

    @property
    def told(self) -> str:
        """The end of a sentence about a failure."""
        said = (self.stderr or self.stdout).strip() or "nothing"
        return f"(exit status {self.rc}): it said {said!r}"


class Runner(t.Protocol):
    """Runs commands; an AnsibleModule stands behind it on real hosts."""

    def find(self, name: str) -> str | None: ...

    def run(self, argv: t.Sequence[str], inherited: t.Sequence[int] = ()) -> Outcome: ...


class FileProblemError(Exception):
    """A file that cannot be used as asked."""

    def __init__(self, path: str, problem: t.Literal["missing", "special", "unreadable"]) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def read_piece(file: t.BinaryIO, size: int) -> bytes:
    """At most so many bytes; what would have to be waited for, as in /proc, is an error."""
    piece: bytes | None = file.read(size)
    if piece is None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return piece


class Host:
    """Files below a root directory, a runner for commands, and what is asked of the kernel."""

    def __init__(
        self,
        runner: Runner,
        root: str = "/",
        *,
        ask_kernel: t.Callable[[], str | None],
        checkpoint: t.Callable[[str], None],
    ) -> None:
        self._root = root
        self._runner = runner
        self.ask_kernel = ask_kernel
        # Takes a directory, of which it writes the file system's journal back.
        self.checkpoint = checkpoint
        # What holds a lock: commands go on when this process is killed.
        self.inherited: tuple[int, ...] = ()

    @property
    def machine(self) -> str:
        """What "uname -m" prints, and not what a process of another personality is told."""
        return self.line("/proc/sys/kernel/arch") or os.uname().machine

    def real(self, path: str) -> str:
        """Where a path of the host is for this process."""
        return os.path.join(self._root, path.lstrip("/"))

    def text(self, path: str) -> str | None:
        """The text of a small file, None if there is none or it cannot be read."""
        content = self.content(path)
        return None if content is None else content.decode("utf-8", "surrogateescape")

    def line(self, path: str) -> str | None:
        """The text of a file of one line without what surrounds it, None as in text."""
        text = self.text(path)
        return None if text is None else text.strip(SPACES)

    def number(self, path: str) -> int | None:
        """The number in a file of one line, None if there is none."""
        text = self.line(path) or ""
        return int(text) if re.fullmatch("-?[0-9]{1,20}", text) else None

    def content(self, path: str) -> bytes | None:
        """The bytes of a small file, None if there is none or it cannot be read."""
        try:
            with self.open(path) as file:
                return file.read()
        except (FileProblemError, OSError):
            return None

    def digest(self, path: str) -> str | None:
        """The SHA-256 of a file, empty if there is none, None if it cannot be read."""
        found = hashlib.sha256()
        try:
            with self.open(path) as file:
                while piece := file.read(PIECE):
                    found.update(piece)
        except FileProblemError as error:
            return "" if error.problem == "missing" else None
        except OSError:
            return None
        return found.hexdigest()

    def names(self, path: str) -> tuple[str, ...]:
        """The sorted names in a directory, none if there is no such directory."""
        try:
            return tuple(sorted(os.listdir(self.real(path))))
        except (OSError, ValueError):
            return ()

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(self.real(path))

    def exists(self, path: str) -> bool:
        return os.path.exists(self.real(path))

    def link(self, path: str) -> str | None:
        """Where a symbolic link points, None if there is none."""
        try:
            return os.readlink(self.real(path))
        except (OSError, ValueError):
            return None

    def same_file(self, one: str, other: str) -> bool:
        """Tell whether two paths lead to the same file; what cannot be read is not told apart."""
        try:
            return os.path.samefile(self.real(one), self.real(other))
        except (OSError, ValueError):
            return True

    def open(self, path: str) -> t.BinaryIO:
        """Open a regular file; devices, pipes and directories would never end or never start."""
        try:
            descriptor = os.open(self.real(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, ValueError) as error:
            # No file can have a path with a NUL byte in it.
            raise FileProblemError(path, "missing") from error
        except OSError as error:
            raise FileProblemError(path, "unreadable") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileProblemError(path, "special")
        return os.fdopen(descriptor, "rb")

    def is_locked(self, path: str) -> bool:
        """Tell whether a process holds the lock of a file; what cannot be opened is not locked."""
        try:
            with self.open(path) as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (FileProblemError, OSError):
            return False
        return False

    def find(self, name: str) -> str | None:
        """The path of a command, None if it is not installed."""
        return self._runner.find(name)

    def run(self, argv: t.Sequence[str]) -> Outcome:
        return self._runner.run(argv, self.inherited)

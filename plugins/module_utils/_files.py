# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The port for writing: files are replaced as a whole, and put back if a later step fails."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
import time
import typing as t
from dataclasses import dataclass, field

from ._boot_file import BootFile, sync_directory
from ._host import FileProblemError, Host
from ._reasons import ReasonError, reason

MOUNTS = "/proc/mounts"
NEW_FILE_MODE = 0o644

# How the kernel writes spaces and the like in the list of mounts.
_OCTAL = re.compile(r"\\([0-7]{3})")

_REMEDIES = {
    errno.EROFS: "Mount the file system writable.",
    errno.ENOSPC: "Free space on the file system.",
    errno.EDQUOT: "Free space on the file system.",
    errno.EACCES: "Run the task as root.",
    errno.EPERM: "Run the task as root, and see that the file is not immutable.",
    errno.EAGAIN: "Wait until the other run of this collection has ended.",
}


@dataclass
class Files:
    """Writes files, and knows how they were before the first write."""

    host: Host
    # Those that a boot loader reads, which sees the disk as it is.
    boot: t.Collection[str] = ()
    _before: dict[str, bytes | None] = field(default_factory=dict)
    # By the paths to which links led before a command ran.
    _kept: dict[str, BootFile] = field(default_factory=dict)

    def remember(self, path: str) -> None:
        """Take down what a command may change, so that it can be put back."""
        if path not in self._before:
            self._before[path] = self._read(path)

    def _read(self, path: str) -> bytes | None:
        try:
            with self.host.open(path) as file:
                return file.read()
        except FileProblemError as problem:
            if problem.problem == "missing":
                return None
            raise unwritable(path, f"it is {problem.problem}", errno.EIO) from problem
        except OSError as error:
            raise _refusal(path, error) from error

    def write(self, path: str, content: bytes) -> None:
        self.remember(path)
        try:
            _check_room(self.host.real(path), len(content))
            self._put(path, content)
        except OSError as error:
            raise _refusal(path, error) from error

    def keep(self, path: str) -> None:
        """Have the old file stay whole while a command makes a new one."""
        self.remember(path)
        try:
            self._kept[path] = self._boot_file(path)
            self._kept[path].keep()
        except OSError as error:
            raise _refusal(path, error) from error

    def settle(self, path: str) -> None:
        """Make last what a command made."""
        try:
            self._kept[path].settle()
        except OSError as error:
            raise _refusal(path, error) from error

    def back_up(self, path: str) -> str:
        """Copy a file with its owner, mode and times beside it, named as core modules name it."""
        name = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S', time.localtime())}~"
        # A vfat file system takes no colon.
        name = f"{os.path.dirname(name)}/{os.path.basename(name).replace(':', '.')}"
        content = self._read(path) or b""
        try:
            _check_room(self.host.real(path), len(content))
            _replace(self.host.real(name), content, like=self.host.real(path))
        except OSError as error:
            raise _refusal(name, error) from error
        # A copy of what did not change in the end is of no use.
        self._before[name] = None
        return name

    def restore(self) -> list[str]:
        """Put everything back that has changed; what could not be is returned as sentences."""
        problems = []
        for path, content in reversed(list(self._before.items())):
            try:
                self._restore(path, content)
            except (OSError, ReasonError) as error:
                problems.append(f"{path}: {error}")
        return problems

    def _restore(self, path: str, content: bytes | None) -> None:
        boot_file = self._boot_file(path)
        if self._read(path) != content:
            boot_file.undo()
        if self._read(path) == content:
            boot_file.forget()
        elif content is None:
            os.unlink(self.host.real(path))
        else:
            self._put(path, content)

    def _put(self, path: str, content: bytes) -> None:
        boot_file = self._boot_file(path)
        put = boot_file.put if path in self.boot else None
        _replace(boot_file.path, content, put=put)

    def _boot_file(self, path: str) -> BootFile:
        """A link stays one, and its target is replaced."""
        return BootFile(os.path.realpath(self.host.real(path)), self.host.checkpoint)


def _check_room(path: str, size: int) -> None:
    """The old and the new file are there together for a moment; a full one may be read-only."""
    status = os.statvfs(os.path.dirname(os.path.realpath(path)))
    if status.f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    # A file system that counts no blocks, as btrfs may, has to be tried.
    if status.f_blocks and status.f_bfree * status.f_frsize < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _replace(
    target: str,
    content: bytes,
    like: str | None = None,
    put: t.Callable[[str], None] | None = None,
) -> None:
    """Put a file in place of another at once."""
    directory = os.path.dirname(target)
    descriptor, temporary = tempfile.mkstemp(prefix=".boot-parameter-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _take_over(file.fileno(), like or target)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if put is None:
            os.replace(temporary, target)
            sync_directory(directory)
        else:
            put(temporary)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _take_over(descriptor: int, target: str) -> None:
    """Owner and mode of the old file; where they are the same, vfat would refuse the call."""
    own = os.fstat(descriptor)
    try:
        old = os.stat(target)
    except FileNotFoundError:
        os.fchmod(descriptor, NEW_FILE_MODE)
        return
    if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    if stat.S_IMODE(own.st_mode) != stat.S_IMODE(old.st_mode):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


@contextlib.contextmanager
def writable(host: Host, paths: t.Iterable[str]) -> t.Iterator[None]:
    """Mount boot media writable for a moment, and read-only again whatever happens."""
    mounted = sorted({point for point in (_read_only_mount(host, path) for path in paths) if point})
    try:
        for point in mounted:
            _open_up(host, point)
        yield
    except BaseException:
        _close(host, mounted)
        raise
    for point in _close(host, mounted):
        raise _left_open(point)


def _mount(host: Host, mode: str, point: str) -> list[str]:
    return [host.find("mount") or "mount", "-o", f"remount,{mode}", point]


def _close(host: Host, points: t.Iterable[str]) -> list[str]:
    """Those that cannot be mounted read-only again."""
    return [point for point in points if host.run(_mount(host, "ro", point)).rc != 0]


def _open_up(host: Host, point: str) -> None:
    completed = host.run(_mount(host, "rw", point))
    if completed.rc != 0:
        said = (completed.stderr or completed.stdout).strip()
        raise unwritable(point, f"it cannot be mounted writable: {said!r}", errno.EROFS)


def _read_only_mount(host: Host, path: str) -> str | None:
    """The mount point that a path is below, if it is mounted read-only."""
    found, options = "", ""
    for line in (host.text(MOUNTS) or "").splitlines():
        fields = line.split(" ")
        if len(fields) < 4:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[1])
        below = path.startswith(point.rstrip("/") + "/")
        # Of two mounts at one point, the later one covers the other.
        if below and len(point) >= len(found):
            found, options = point, fields[3]
    return found if "ro" in options.split(",") else None


def _refusal(path: str, error: OSError) -> ReasonError:
    return unwritable(path, error.strerror or str(error), error.errno or errno.EIO)


def _left_open(point: str) -> ReasonError:
    return ReasonError(
        reason(
            "boot_config_unwritable",
            f"{point} was written as it was wanted, and cannot be mounted read-only again.",
            "See what else writes there, and mount it read-only.",
        ),
        stage="write",
        changed=True,
    )


def unwritable(path: str, why: str, number: int) -> ReasonError:
    return ReasonError(
        reason(
            "boot_config_unwritable",
            f"{path} cannot be written: {why}.",
            _REMEDIES.get(number, "See the host's log and check the file system."),
        ),
        stage="write",
    )

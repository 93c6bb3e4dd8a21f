# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Looking into the files of an image: are they whole, and do they belong together?"""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from .._host.port import FileProblemError, Host, read_piece
from .._reasons import Reason, reason
from . import initramfs
from .boot_set import Files
from .kernel import HEAD_BYTES, Kernel, fits, parse


@dataclass(frozen=True)
class Inspected:
    """What is in the files of an image."""

    release: str | None = None
    total_bytes: int = 0
    # The order in which the kernel must find them: microcode first.
    ordered_initramfs: tuple[str, ...] = ()
    # Path, device, inode, size and times: equal only if no file was replaced or written.
    identity: tuple[tuple[str | int, ...], ...] = ()
    reasons: tuple[Reason, ...] = ()
    # What the kernel will have before it has its root; None if that could not be told.
    modules: frozenset[str] | None = None


class _DefectError(Exception):
    """A reason that ends the inspection of one file."""

    def __init__(self, found: Reason) -> None:
        super().__init__(found.message)
        self.reason = found


def inspect(host: Host, files: Files, machine: str, installed: t.Mapping[str, str]) -> Inspected:
    """Read every file once; defects become reasons."""
    reasons: list[Reason] = []
    release = None
    scanned: dict[str, initramfs.Initramfs | None] = {}
    try:
        release = _inspect_kernel(host, files, machine) or installed.get(files.flavour or "")
    except _DefectError as defect:
        reasons.append(defect.reason)
    for path in files.initramfs:
        try:
            scanned[path] = _inspect_initramfs(host, path, files)
        except _DefectError as defect:
            reasons.append(defect.reason)
    reasons += _unverified(scanned)
    reasons += _coherence(host, files, release, scanned)
    identity = tuple(_identity(host, path) for path in (files.kernel, *files.initramfs))
    total = sum(int(entry[3]) for entry in identity if len(entry) > 1)
    ordered = tuple(sorted(files.initramfs, key=lambda path: not _is_microcode(scanned.get(path))))
    modules = _modules(host, release, scanned, files)
    return Inspected(release, total, ordered, identity, tuple(reasons), modules)


def _modules(
    host: Host,
    release: str | None,
    scanned: t.Mapping[str, initramfs.Initramfs | None],
    files: Files,
) -> frozenset[str] | None:
    """What is in the initramfs files or built in, if all of that could be read."""
    known = [found for found in scanned.values() if found is not None]
    built_in = host.text(f"/lib/modules/{release}/modules.builtin")
    if built_in is None or not known or len(known) < len(files.initramfs):
        return None
    parts = (os.path.basename(line).partition(".")[0] for line in built_in.split())
    return frozenset().union(map(initramfs.module_name, parts), *(each.modules for each in known))


def _is_microcode(found: initramfs.Initramfs | None) -> bool:
    return found is not None and found.microcode and not found.releases


def _identity(host: Host, path: str) -> tuple[str | int, ...]:
    try:
        status = os.stat(host.real(path))
    except OSError:
        return (path,)
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (path, status.st_dev, status.st_ino, status.st_size, *times)


@contextlib.contextmanager
def _open(host: Host, path: str, missing: str, files: Files) -> t.Iterator[t.BinaryIO]:
    """A file to read; a disk may fail in the middle of it."""
    try:
        with host.open(path) as file:
            yield file
    except FileProblemError as error:
        raise _DefectError(_file_problem(error, missing, files)) from error
    except OSError as error:
        problem = FileProblemError(path, "unreadable")
        raise _DefectError(_file_problem(problem, missing, files)) from error


def _inspect_kernel(host: Host, files: Files, machine: str) -> str | None:
    """The release that the kernel names, None if its format names none."""
    path = files.kernel
    with _open(host, path, "kernel_missing", files) as file:
        head = read_piece(file, HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
    kernel = parse(head)
    if not head.strip(b"\0"):
        raise _DefectError(_kernel_blank(path, files))
    if kernel is None:
        raise _DefectError(_not_a_kernel(path, files))
    if not fits(kernel, machine):
        raise _DefectError(_wrong_architecture(path, kernel, machine, files))
    if size < kernel.needed_bytes:
        raise _DefectError(_kernel_truncated(path, size, kernel.needed_bytes, files))
    return kernel.release


def _inspect_initramfs(host: Host, path: str, files: Files) -> initramfs.Initramfs | None:
    """What is inside, None if it cannot be decompressed here."""
    with _open(host, path, "initramfs_missing", files) as file:
        try:
            return initramfs.scan(file)
        except initramfs.NoDecompressorError:
            return None
        except initramfs.TruncatedError as error:
            raise _DefectError(_initramfs_truncated(path, files)) from error
        except initramfs.NotAnInitramfsError as error:
            raise _DefectError(_initramfs_invalid(path, str(error), files)) from error


def _unverified(scanned: t.Mapping[str, initramfs.Initramfs | None]) -> list[Reason]:
    return [_initramfs_unverified(path) for path, found in scanned.items() if found is None]


def _coherence(
    host: Host,
    files: Files,
    release: str | None,
    scanned: t.Mapping[str, initramfs.Initramfs | None],
) -> list[Reason]:
    """Kernel, initramfs and modules must be of one release, as far as each names one."""
    if release is None:
        return []
    reasons = []
    inside: set[str] = set()
    for found in scanned.values():
        inside |= found.releases if found else set()
    if inside and release not in inside:
        reasons.append(_initramfs_mismatch(files, release, inside))
    if not host.is_dir(f"/lib/modules/{release}"):
        reasons.append(_modules_missing(files, release))
    return reasons


def _file_problem(error: FileProblemError, missing: str, files: Files) -> Reason:
    if error.problem == "missing":
        return reason(
            missing,
            f"{error.path} does not exist.",
            "Reinstall the kernel's package, mount /boot, or correct the path.",
            files.blocks,
        )
    if error.problem == "special":
        return reason(
            "path_invalid",
            f"{error.path} is not a regular file.",
            "Name a regular file.",
            files.blocks,
        )
    return reason(
        "path_unreadable",
        f"{error.path} cannot be read.",
        "Check the file system and the permissions.",
        files.doubt_blocks,
    )


def _not_a_kernel(path: str, files: Files) -> Reason:
    return reason(
        "kernel_invalid",
        f"{path} is not a Linux kernel in a format that kexec can start.",
        "Reinstall the kernel's package, or correct the path.",
        files.doubt_blocks,
    )


def _wrong_architecture(path: str, kernel: Kernel, machine: str, files: Files) -> Reason:
    width = "64" if kernel.bits64 else "32"
    return reason(
        "kernel_wrong_architecture",
        f"{path} is a {width} bit {kernel.architecture} kernel and the host is {machine}.",
        "Name a kernel for the host's architecture.",
        files.blocks,
    )


def _kernel_truncated(path: str, size: int, needed: int, files: Files) -> Reason:
    return reason(
        "kernel_truncated",
        f"{path} has {size} bytes and its header says {needed}.",
        "Free space in /boot and reinstall the kernel's package.",
        files.blocks,
    )


def _kernel_blank(path: str, files: Files) -> Reason:
    """As a power cut or a full file system leaves it: nothing can boot that."""
    return reason(
        "kernel_truncated",
        f"{path} is empty, or holds nothing but zeros where a kernel begins.",
        "Free space in /boot and reinstall the kernel's package.",
        files.blocks,
    )


def _initramfs_truncated(path: str, files: Files) -> Reason:
    return reason(
        "initramfs_truncated",
        f"{path} ends in the middle of its archive.",
        "Free space in /boot and run mkinitfs again.",
        files.blocks,
    )


def _initramfs_invalid(path: str, why: str, files: Files) -> Reason:
    return reason(
        "initramfs_invalid",
        f"{path} is not an initramfs: {why}.",
        "Run mkinitfs again, or correct the path.",
        files.doubt_blocks,
    )


def _initramfs_unverified(path: str) -> Reason:
    return reason(
        "initramfs_unverified",
        f"{path} is compressed in a way that Python on this host cannot undo.",
        "Nothing needs to be done; whether it fits the kernel was not checked.",
    )


def _initramfs_mismatch(files: Files, release: str, inside: t.Collection[str]) -> Reason:
    return reason(
        "initramfs_mismatch",
        f"{', '.join(files.initramfs)} holds modules of {', '.join(sorted(inside))} "
        f"and {files.kernel} is {release}.",
        f"Run mkinitfs for {release}.",
        files.blocks,
    )


def _modules_missing(files: Files, release: str) -> Reason:
    return reason(
        "modules_missing",
        f"{files.kernel} is {release} and /lib/modules/{release} does not exist.",
        "Reinstall the kernel's package.",
        files.blocks,
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Looking into the files of an image: are they whole, and do they belong together?

Of a kernel, the first bytes say which format, architecture, release and size it has.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import typing as t
import zlib
from dataclasses import dataclass, replace

from .._host.port import FileProblemError, Host, read_piece
from .._reasons import Reason, reason
from . import initramfs
from .choose import Files

# Enough for every header below and for the release string of a bzImage; that of s390x comes last.
HEAD_BYTES = 68 * 1024

# An uncompressed Image states its size in memory, which is larger than the file.
RAW_HEADER_BYTES = 64

# What "uname -m" prints, by the name that kernels of one architecture share here.
MACHINES: dict[str, str] = {
    "x86_64": "x86",
    "i386": "x86",
    "i586": "x86",
    "i686": "x86",
    "aarch64": "arm64",
    "armv6l": "arm",
    "armv7l": "arm",
    "armv8l": "arm",
    "ppc64le": "ppc64",
    "riscv64": "riscv64",
    "loongarch64": "loongarch64",
    "s390x": "s390x",
}

ELF_MACHINES: dict[int, str] = {3: "x86", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86"}
ELF_MACHINES.update({183: "arm64", 243: "riscv64", 258: "loongarch64"})

# The machine field of a portable executable, as EFI zboot kernels are.
PE_MACHINES: dict[int, str] = {0xAA64: "arm64", 0x5064: "riscv64", 0x6264: "loongarch64"}

# --- Kernels -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kernel:
    """What a kernel file says of itself."""

    format: str
    architecture: str
    release: str | None
    needed_bytes: int
    bits64: bool = True


def parse_kernel(head: bytes) -> Kernel | None:
    """Recognise a kernel by the first bytes of its file, None if it is none."""
    for reader in (
        _bzimage,
        _arm64_image,
        _riscv_image,
        _zboot,
        _zimage,
        _elf,
        _s390_image,
        _gzipped,
    ):
        kernel = reader(head)
        if kernel is not None:
            return kernel
    return None


def fits(kernel: Kernel, machine: str) -> bool:
    """Tell whether a host of that "uname -m" can start the kernel."""
    if kernel.architecture != MACHINES.get(machine, machine):
        return False
    return kernel.bits64 or machine != "x86_64"


def _at(form: str, head: bytes, offset: int) -> t.Any:
    """One little-endian number of the header, 0 behind its end."""
    size = struct.calcsize("<" + form)
    piece = head[offset : offset + size]
    return struct.unpack("<" + form, piece)[0] if len(piece) == size else 0


def _release(text: bytes) -> str | None:
    """The release at the start of a version string such as "6.18.56-0-virt (builder@host) #1"."""
    match = re.match(rb"[0-9]+\.[0-9]+[0-9A-Za-z.+~_-]*", text)
    return match.group().decode() if match else None


def _bzimage(head: bytes) -> Kernel | None:
    """The x86 boot protocol: sectors of set-up code, then the protected-mode part."""
    if head[0x202:0x206] != b"HdrS":
        return None
    setup_sectors = _at("B", head, 0x1F1) or 4
    needed = (setup_sectors + 1) * 512 + _at("I", head, 0x1F4) * 16
    version_offset = _at("H", head, 0x20E)
    text = head[version_offset + 0x200 :] if version_offset else b""
    bits64 = bool(_at("H", head, 0x236) & 1)
    return Kernel("bzImage", "x86", _release(text), needed, bits64)


def _arm64_image(head: bytes) -> Kernel | None:
    if head[0x38:0x3C] != b"ARM\x64":
        return None
    return Kernel("Image", "arm64", None, RAW_HEADER_BYTES)


def _riscv_image(head: bytes) -> Kernel | None:
    if head[0x30:0x38] != b"RISCV\0\0\0":
        return None
    return Kernel("Image", "riscv64", None, RAW_HEADER_BYTES)


def _zboot(head: bytes) -> Kernel | None:
    """A compressed kernel in an EFI program: offset and size of the payload follow the magic."""
    if head[:2] != b"MZ" or head[4:8] != b"zimg":
        return None
    machine = _at("H", head, _at("I", head, 0x3C) + 4)
    needed = _at("I", head, 8) + _at("I", head, 12)
    return Kernel("zboot", PE_MACHINES.get(machine, f"pe-{machine:#x}"), None, needed)


def _zimage(head: bytes) -> Kernel | None:
    if _at("I", head, 0x24) != 0x016F2818:
        return None
    return Kernel("zImage", "arm", None, _at("I", head, 0x2C) - _at("I", head, 0x28), False)


def _s390_image(head: bytes) -> Kernel | None:
    if head[0x10008:0x1000E] != b"S390EP":
        return None
    return Kernel("bzImage", "s390x", None, 0x11000)


def _gzipped(head: bytes) -> Kernel | None:
    """An Image as packages of arm64 and riscv64 compress it; kexec decompresses it."""
    if head[:2] != b"\x1f\x8b":
        return None
    try:
        inner = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, HEAD_BYTES)
    except zlib.error:
        return None
    image = _arm64_image(inner) or _riscv_image(inner)
    return None if image is None else replace(image, format="Image.gz")


def _elf(head: bytes) -> Kernel | None:
    if head[:4] != b"\x7fELF" or len(head) < 64:
        return None
    order = ">" if head[5] == 2 else "<"
    machine = struct.unpack(order + "H", head[18:20])[0]
    bits64 = head[4] == 2
    return Kernel("ELF", ELF_MACHINES.get(machine, f"elf-{machine}"), None, 64, bits64)


# --- The files together --------------------------------------------------------------------


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
    kernel = parse_kernel(head)
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

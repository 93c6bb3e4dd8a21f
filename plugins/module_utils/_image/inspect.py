# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Looking into the files of an image: are they whole, and do they belong together?

Of a kernel, the first bytes say which format, architecture, release and size it has. The files are
read in one place; what was read is judged as a value.
"""

from __future__ import annotations

import os
import re
import typing as t
import zlib
from dataclasses import dataclass, replace

from .._host import slot_places
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

ELF_MACHINES: dict[int, str] = {
    3: "x86",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86",
    183: "arm64",
    243: "riscv64",
    258: "loongarch64",
}

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


def _at(head: bytes, offset: int, size: int) -> int:
    """A little-endian number of so many bytes of the header, 0 behind its end."""
    piece = head[offset : offset + size]
    return int.from_bytes(piece, "little") if len(piece) == size else 0


def _release(text: bytes) -> str | None:
    """The release at the start of a version string such as "6.18.56-0-virt (builder@host) #1"."""
    match = re.match(rb"[0-9]+\.[0-9]+[0-9A-Za-z.+~_-]*", text)
    return match.group().decode() if match else None


def _bzimage(head: bytes) -> Kernel | None:
    """The x86 boot protocol: sectors of set-up code, then the protected-mode part."""
    if head[0x202:0x206] != b"HdrS":
        return None
    setup_sectors = _at(head, 0x1F1, 1) or 4
    needed = (setup_sectors + 1) * 512 + _at(head, 0x1F4, 4) * 16
    version_offset = _at(head, 0x20E, 2)
    text = head[version_offset + 0x200 :] if version_offset else b""
    bits64 = bool(_at(head, 0x236, 2) & 1)
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
    machine = _at(head, _at(head, 0x3C, 4) + 4, 2)
    needed = _at(head, 8, 4) + _at(head, 12, 4)
    return Kernel("zboot", PE_MACHINES.get(machine, f"pe-{machine:#x}"), None, needed)


def _zimage(head: bytes) -> Kernel | None:
    if _at(head, 0x24, 4) != 0x016F2818:
        return None
    return Kernel("zImage", "arm", None, _at(head, 0x2C, 4) - _at(head, 0x28, 4), False)


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
    order: t.Literal["big", "little"] = "big" if head[5] == 2 else "little"
    machine = int.from_bytes(head[18:20], order)
    bits64 = head[4] == 2
    return Kernel("ELF", ELF_MACHINES.get(machine, f"elf-{machine}"), None, 64, bits64)


def is_unified(head: bytes) -> bool:
    """Tell whether it is an EFI program that holds a kernel and its initramfs as sections."""
    start = _at(head, 0x3C, 4)
    table = start + 24 + _at(head, start + 20, 2)
    places = range(table, table + 40 * _at(head, start + 6, 2), 40)
    return head[start : start + 4] == b"PE\0\0" and any(
        head[each : each + 8] == b".linux\0\0" for each in places
    )


# --- Reading the files ---------------------------------------------------------------------


@dataclass(frozen=True)
class ImageFile:
    """What was read of one file of an image."""

    path: str
    # A key of PROBLEMS, and what else there is to say of it.
    problem: str | None = None
    why: str = ""
    # Path, device, inode, size and times: equal only if the file was not replaced or written.
    identity: tuple[str | int, ...] = ()
    # Of a kernel.
    head: bytes = b""
    # Of an initramfs; None if it cannot be decompressed here.
    inside: initramfs.Initramfs | None = None

    @property
    def size(self) -> int:
        return int(self.identity[3]) if len(self.identity) > 1 else 0


@dataclass(frozen=True)
class Contents:
    """What was read of an image, and of the modules that belong to its kernel."""

    kernel: ImageFile
    initramfs: tuple[ImageFile, ...] = ()
    release: str | None = None
    has_modules: bool = False
    built_in: str | None = None


def read(host: Host, files: Files, installed: t.Mapping[str, str]) -> Contents:
    """Read every file once; nothing is judged."""
    kernel = read_part(host, files.kernel, _head)
    parsed = parse_kernel(kernel.head)
    known = slot_places.release_of(files.kernel) or installed.get(files.flavour or "")
    release = (parsed and parsed.release) or known
    modules = slot_places.tree_of(host, files.kernel, str(release))
    return Contents(
        kernel,
        tuple(read_part(host, path, _inside) for path in files.initramfs),
        release,
        host.is_dir(modules),
        host.text(f"{modules}/modules.builtin"),
    )


def _head(part: ImageFile, file: t.BinaryIO) -> ImageFile:
    return replace(part, head=read_piece(file, HEAD_BYTES))


def _inside(part: ImageFile, file: t.BinaryIO) -> ImageFile:
    try:
        return replace(part, inside=initramfs.scan(file))
    except initramfs.NoDecompressorError:
        return part
    except initramfs.TruncatedError:
        return replace(part, problem="truncated")
    except initramfs.NotAnInitramfsError as error:
        return replace(part, problem="invalid", why=str(error))


def read_part(
    host: Host, path: str, look: t.Callable[[ImageFile, t.BinaryIO], ImageFile] = _head
) -> ImageFile:
    """Look into a file; a disk may fail in the middle of it."""
    part = ImageFile(path, identity=(path,))
    try:
        with host.open(path) as file:
            status = os.fstat(file.fileno())
            times = (status.st_mtime_ns, status.st_ctime_ns)
            identity = (path, status.st_dev, status.st_ino, status.st_size, *times)
            part = replace(part, identity=identity)
            return look(part, file)
    except FileProblemError as error:
        return replace(part, problem=error.problem)
    except OSError:
        return replace(part, problem="unreadable")


# --- Judging what was read -----------------------------------------------------------------


@dataclass(frozen=True)
class Inspected:
    """What is in the files of an image."""

    release: str | None = None
    total_bytes: int = 0
    # The order in which the kernel must find them: microcode first.
    ordered_initramfs: tuple[str, ...] = ()
    identity: tuple[tuple[str | int, ...], ...] = ()
    reasons: tuple[Reason, ...] = ()
    # What the kernel will have before it has its root; None if that could not be told.
    modules: frozenset[str] | None = None


@dataclass(frozen=True)
class Defect:
    """What is wrong with one file: a sentence without its beginning, which is the path."""

    code: str
    what: str
    remedy: str
    # Firmware may well boot what is only of a kind that is not known here.
    certain: bool = True

    def reason(self, path: str, files: Files) -> Reason:
        blocks = files.blocks if self.certain else files.doubt_blocks
        return reason(self.code, f"{path} {self.what}.", self.remedy, blocks)


_CUT = "Free space in /boot and reinstall the kernel's package."
_PATH = "Reinstall the kernel's package, or correct the path."

PROBLEMS = {
    "missing": Defect(
        "{}_missing",
        "does not exist",
        "Reinstall the kernel's package, mount /boot, or correct the path.",
    ),
    "special": Defect("path_invalid", "is not a regular file", "Name a regular file."),
    "unreadable": Defect(
        "path_unreadable", "cannot be read", "Check the file system and the permissions.", False
    ),
    "truncated": Defect(
        "initramfs_truncated",
        "ends in the middle of its archive",
        "Free space in /boot and run mkinitfs again.",
    ),
    "invalid": Defect(
        "initramfs_invalid",
        "is not an initramfs: ",
        "Run mkinitfs again, or correct the path.",
        False,
    ),
}

# With kexec_load, kexec-tools would take the EFI program around the kernel for the kernel.
UNIFIED = Defect(
    "kernel_invalid",
    "is a unified kernel image, which kexec-tools load from 2.0.31 on, on x86_64, and only through "
    "kexec_file_load, which Alpine's kernels lack",
    "Set the options kernel and initramfs to the files that it was made of.",
    False,
)


def inspect(host: Host, files: Files, machine: str, installed: t.Mapping[str, str]) -> Inspected:
    """Read every file once; defects become reasons."""
    return judge(read(host, files, installed), files, machine)


def judge(read: Contents, files: Files, machine: str) -> Inspected:
    """Tell what the files are good for; defects become reasons."""
    defect = _defect_of(read.kernel, machine)
    found = [] if defect is None else [defect.reason(files.kernel, files)]
    for part in read.initramfs:
        found += _judge_initramfs(part, files)
    release = None if defect else read.release
    parts = (read.kernel, *read.initramfs)
    return Inspected(
        release,
        sum(part.size for part in parts),
        tuple(part.path for part in sorted(read.initramfs, key=lambda each: not _microcode(each))),
        tuple(part.identity for part in parts),
        (*found, *_coherence(read, files, release)),
        _modules(read, release),
    )


def _problem_of(part: ImageFile, kind: str) -> Defect | None:
    if part.problem is None:
        return None
    defect = PROBLEMS[part.problem]
    return replace(defect, code=defect.code.format(kind), what=defect.what + part.why)


def _defect_of(part: ImageFile, machine: str) -> Defect | None:
    """What keeps a kernel from being started."""
    problem = _problem_of(part, "kernel")
    if problem is not None:
        return problem
    if not part.head.strip(b"\0"):
        # As a power cut or a full file system leaves it: nothing can boot that.
        what = "is empty, or holds nothing but zeros where a kernel begins"
        return Defect("kernel_truncated", what, _CUT)
    if is_unified(part.head):
        return UNIFIED
    kernel = parse_kernel(part.head)
    if kernel is None:
        what = "is not a Linux kernel in a format that kexec can start"
        return Defect("kernel_invalid", what, _PATH, False)
    return _misfit(kernel, part.size, machine)


def _misfit(kernel: Kernel, size: int, machine: str) -> Defect | None:
    if not fits(kernel, machine):
        what = f"is a {64 if kernel.bits64 else 32} bit {kernel.architecture} kernel"
        remedy = "Name a kernel for the host's architecture."
        return Defect("kernel_wrong_architecture", f"{what} and the host is {machine}", remedy)
    if size < kernel.needed_bytes:
        what = f"has {size} bytes and its header says {kernel.needed_bytes}"
        return Defect("kernel_truncated", what, _CUT)
    return None


def _judge_initramfs(part: ImageFile, files: Files) -> t.Iterator[Reason]:
    defect = _problem_of(part, "initramfs")
    if defect is not None:
        yield defect.reason(part.path, files)
    elif part.inside is None:
        yield reason(
            "initramfs_unverified",
            f"{part.path} is compressed in a way that Python on this host cannot undo.",
            "Nothing needs to be done; whether it fits the kernel was not checked.",
        )


def _coherence(read: Contents, files: Files, release: str | None) -> t.Iterator[Reason]:
    """Kernel, initramfs and modules must be of one release, as far as each names one."""
    if release is None:
        return
    inside = {each for part in read.initramfs if part.inside for each in part.inside.releases}
    if inside and release not in inside:
        yield reason(
            "initramfs_mismatch",
            f"{', '.join(files.initramfs)} holds modules of {', '.join(sorted(inside))} "
            f"and {files.kernel} is {release}.",
            f"Run mkinitfs for {release}.",
            files.blocks,
        )
    if not read.has_modules:
        yield reason(
            "modules_missing",
            f"{files.kernel} is {release} and /lib/modules/{release} does not exist.",
            "Reinstall the kernel's package.",
            files.blocks,
        )


def _modules(read: Contents, release: str | None) -> frozenset[str] | None:
    """What is in the initramfs files or built in, if all of that could be read."""
    known = [part.inside.modules for part in read.initramfs if part.inside]
    if release is None or read.built_in is None or not known or len(known) < len(read.initramfs):
        return None
    parts = (os.path.basename(line).partition(".")[0] for line in read.built_in.split())
    return frozenset().union(map(initramfs.module_name, parts), *known)


def _microcode(part: ImageFile) -> bool:
    return part.inside is not None and part.inside.microcode and not part.inside.releases

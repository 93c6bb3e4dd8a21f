# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Kernel files: what their first bytes say of format, architecture, release and size."""

from __future__ import annotations

import re
import struct
import typing as t
import zlib
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class Kernel:
    """What a kernel file says of itself."""

    format: str
    architecture: str
    release: str | None
    needed_bytes: int
    bits64: bool = True


def parse(head: bytes) -> Kernel | None:
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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel files of every format that Alpine ships, built from the layout of their headers."""

from __future__ import annotations

import gzip
import struct

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import (
    inspect as inspect_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.inspect import Kernel
from hypothesis import given
from hypothesis import strategies as st

RELEASE = "6.18.56-0-virt"
VERSION = f"{RELEASE} (buildozer@build-3-23-x86_64) #1-Alpine SMP PREEMPT_DYNAMIC"


def put(size: int, fields: dict[int, bytes]) -> bytes:
    """A file of zeros with some bytes in their places."""
    head = bytearray(size)
    for offset, content in fields.items():
        head[offset : offset + len(content)] = content
    return bytes(head)


def bzimage(**changes: int) -> bytes:
    """The set-up code of Alpine 3.23's vmlinuz-virt: 31 sectors of it, protocol 2.15."""
    values = {"sectors": 0x1F, "size16": 0xC0940, "version": 0x3710, "flags": 0x7F, **changes}
    fields = {
        0x000: b"MZ",
        0x038: b"\xcd\x23\x82\x81\x40\0\0\0PE\0\0\x64\x86",
        0x1F1: bytes([values["sectors"]]),
        0x1F4: struct.pack("<I", values["size16"]),
        0x1FE: b"\x55\xaa",
        0x202: b"HdrS\x0f\x02",
        0x20E: struct.pack("<H", values["version"]),
        0x236: struct.pack("<H", values["flags"]),
        0x3910: VERSION.encode(),
    }
    return put(0x4000, fields)


def pe_header(machine: int) -> dict[int, bytes]:
    return {0: b"MZ", 0x3C: struct.pack("<I", 0x40), 0x40: b"PE\0\0" + struct.pack("<H", machine)}


def zboot(machine: int = 0xAA64) -> bytes:
    """An EFI program around a compressed kernel, as CONFIG_EFI_ZBOOT makes it."""
    fields = {**pe_header(machine), 4: b"zimg" + struct.pack("<II", 0x2000, 0x900000)}
    return put(0x1000, {**fields, 0x18: b"gzip\0\0\0\0", 0x38: b"\xcd\x23\x82\x81"})


def arm64_image() -> bytes:
    """The 64 bytes before the code: branch, offset, size, flags, magic, PE header."""
    fields = {0: b"MZ\0\x91", 8: struct.pack("<QQQ", 0, 0x2A00000, 0xA)}
    return put(0x1000, {**fields, 0x38: b"ARM\x64\x40\0\0\0"})


def riscv_image() -> bytes:
    return put(0x1000, {0: b"MZ", 0x30: b"RISCV\0\0\0RSC\x05\x40\0\0\0"})


def zimage(start: int = 0, end: int = 0x5A0000) -> bytes:
    return put(0x1000, {0x24: struct.pack("<III", 0x016F2818, start, end)})


def elf(machine: int, *, bits: int = 64, order: str = "<") -> bytes:
    """The head of a vmlinux."""
    kind = bytes([bits // 32, 1 if order == "<" else 2, 1])
    return put(64, {0: b"\x7fELF" + kind, 16: struct.pack(order + "HH", 2, machine)})


def s390_image() -> bytes:
    return put(0x11000, {0x10008: b"S390EP"})


FILES: dict[str, tuple[bytes, Kernel]] = {
    "vmlinuz-virt of x86_64": (bzimage(), Kernel("bzImage", "x86", RELEASE, 12637184)),
    "bzImage for 32 bits": (
        bzimage(flags=0x02),
        Kernel("bzImage", "x86", RELEASE, 12637184, False),
    ),
    "bzImage of an old build": (
        bzimage(sectors=0, version=0),
        Kernel("bzImage", "x86", None, 5 * 512 + 0xC0940 * 16),
    ),
    "bzImage whose version is elsewhere": (
        bzimage(version=0xFFFF),
        Kernel("bzImage", "x86", None, 12637184),
    ),
    "Image of aarch64": (arm64_image(), Kernel("Image", "arm64", None, 64)),
    "Image.gz of aarch64": (
        gzip.compress(arm64_image()),
        Kernel("Image.gz", "arm64", None, 64),
    ),
    "Image of riscv64": (riscv_image(), Kernel("Image", "riscv64", None, 64)),
    "Image.gz of riscv64": (
        gzip.compress(riscv_image()),
        Kernel("Image.gz", "riscv64", None, 64),
    ),
    "zboot of aarch64": (zboot(), Kernel("zboot", "arm64", None, 0x902000)),
    "zboot of riscv64": (zboot(0x5064), Kernel("zboot", "riscv64", None, 0x902000)),
    "zboot of loongarch64": (zboot(0x6264), Kernel("zboot", "loongarch64", None, 0x902000)),
    "zboot of an unknown machine": (zboot(0x1234), Kernel("zboot", "pe-0x1234", None, 0x902000)),
    "zImage of armv7": (zimage(), Kernel("zImage", "arm", None, 0x5A0000, False)),
    "zImage with an address": (
        zimage(0x8000, 0x5A8000),
        Kernel("zImage", "arm", None, 0x5A0000, False),
    ),
    "vmlinux of ppc64le": (elf(21), Kernel("ELF", "ppc64", None, 64)),
    "vmlinux of s390x": (elf(22, order=">"), Kernel("ELF", "s390x", None, 64)),
    "vmlinux of x86_64": (elf(62), Kernel("ELF", "x86", None, 64)),
    "vmlinux of x86": (elf(3, bits=32), Kernel("ELF", "x86", None, 64, False)),
    "vmlinux of aarch64": (elf(183), Kernel("ELF", "arm64", None, 64)),
    "vmlinux of an unknown machine": (elf(8), Kernel("ELF", "elf-8", None, 64)),
    "bzImage of s390x": (s390_image(), Kernel("bzImage", "s390x", None, 0x11000)),
}

NO_KERNELS: dict[str, bytes] = {
    "an empty file": b"",
    "a FIT of U-Boot": put(0x1000, {0: b"\xd0\x0d\xfe\xed\0\0\x10\0"}),
    "a uImage of U-Boot": put(0x1000, {0: b"\x27\x05\x19\x56", 0x1C: b"\5\x16\2\0Linux"}),
    "a text": b"#!/bin/sh\necho kernel\n" * 100,
    "zeros": bytes(4096),
    "an EFI program": put(0x1000, pe_header(0x8664)),
    "a gzip file of something else": gzip.compress(b"initramfs" * 100),
    "a gzip file that is damaged": b"\x1f\x8b" + b"\xff" * 100,
    "a gzip file that is cut": gzip.compress(arm64_image())[:12],
    "an initramfs": b"070701" + b"0" * 104,
    "an ELF head that is cut": elf(62)[:40],
    "a bzImage that is cut before its magic": bzimage()[:0x202],
    "an Image that is cut before its magic": arm64_image()[:0x38],
}

RELEASES: dict[str, tuple[bytes, str | None]] = {
    "virt": (VERSION.encode(), "6.18.56-0-virt"),
    "lts": (b"6.12.31-0-lts (buildozer@host) #1-Alpine", "6.12.31-0-lts"),
    "a release candidate": (b"6.19.0-rc1+ (me@here) #1", "6.19.0-rc1+"),
    "a local build": (b"5.4~git_2-x #1", "5.4~git_2-x"),
    "the end of the text": (b"6.6.1\0garbage", "6.6.1"),
    "no release": (b"Linux version 6", None),
    "nothing": (b"", None),
}

FITS: dict[str, tuple[bytes, list[str]]] = {
    "64 bit x86": (bzimage(), ["x86_64", "i386", "i586", "i686"]),
    "32 bit x86": (bzimage(flags=0), ["i386", "i586", "i686"]),
    "arm64": (zboot(), ["aarch64"]),
    "arm": (zimage(), ["armv6l", "armv7l", "armv8l"]),
    "ppc64": (elf(21), ["ppc64le"]),
    "riscv64": (riscv_image(), ["riscv64"]),
    "loongarch64": (zboot(0x6264), ["loongarch64"]),
    "s390x": (s390_image(), ["s390x"]),
    "unknown": (elf(8), []),
}

HEADS = [content for content, _kernel_of in FILES.values()]


@pytest.mark.parametrize(("content", "kernel"), FILES.values(), ids=FILES)
def test_parse(content: bytes, kernel: Kernel) -> None:
    assert inspect_module.parse_kernel(content) == kernel


@pytest.mark.parametrize("content", NO_KERNELS.values(), ids=NO_KERNELS)
def test_parse_of_no_kernel(content: bytes) -> None:
    assert inspect_module.parse_kernel(content) is None


@pytest.mark.parametrize("content", HEADS, ids=FILES)
def test_parse_needs_no_more_than_the_head(content: bytes) -> None:
    longer = content + bytes(2 * inspect_module.HEAD_BYTES)
    assert inspect_module.parse_kernel(
        longer[: inspect_module.HEAD_BYTES]
    ) == inspect_module.parse_kernel(content)


@pytest.mark.parametrize(("text", "release"), RELEASES.values(), ids=RELEASES)
def test_release(text: bytes, release: str | None) -> None:
    head = put(0x4000, {0x1F1: b"\x1f", 0x202: b"HdrS", 0x20E: struct.pack("<H", 0x3000)})
    kernel = inspect_module.parse_kernel(head[:0x3200] + text)
    assert kernel is not None
    assert kernel.release == release


@pytest.mark.parametrize(("content", "machines"), FITS.values(), ids=FITS)
def test_fits(content: bytes, machines: list[str]) -> None:
    kernel = inspect_module.parse_kernel(content)
    assert kernel is not None
    assert [
        name for name in inspect_module.MACHINES if inspect_module.fits(kernel, name)
    ] == machines


def test_fits_a_machine_that_nobody_listed_by_its_name() -> None:
    assert inspect_module.fits(Kernel("Image", "sparc64", None, 64), "sparc64")


@given(st.sampled_from(HEADS), st.integers(0, 0x11000))
def test_cut_head_is_the_same_kind_of_kernel_or_none(content: bytes, size: int) -> None:
    whole, cut = inspect_module.parse_kernel(content), inspect_module.parse_kernel(content[:size])
    assert whole is not None
    assert cut is None or cut.format == whole.format


@given(st.binary(max_size=0x300))
def test_parse_takes_any_bytes(content: bytes) -> None:
    kernel = inspect_module.parse_kernel(content)
    assert kernel is None or kernel.format


@given(st.binary(max_size=100))
def test_parse_takes_any_bytes_behind_a_magic(content: bytes) -> None:
    assert inspect_module.parse_kernel(b"MZ\0\0zimg" + content) is not None
    assert inspect_module.parse_kernel(put(0x202, {}) + b"HdrS" + content) is not None

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Initramfs files: whole ones are looked into, cut and damaged ones are found out."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import tracemalloc
import types
import typing as t
import zlib

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import initramfs
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.initramfs import (
    Initramfs,
    NoDecompressorError,
    NotAnInitramfsError,
    TruncatedError,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from hypothesis import given
from hypothesis import strategies as st

RELEASE = "6.18.56-0-virt"
OTHER = "6.12.31-0-lts"

# What mkinitfs puts into an initramfs, in its order.
FILES = {
    ".": b"",
    ".modloop": b"",
    "bin": b"",
    "bin/busybox": b"\x7fELF" + bytes(range(256)) * 40,
    "etc/apk/keys/alpine-devel@lists.alpinelinux.org-4a6a0840.rsa.pub": b"-----BEGIN",
    "init": b"#!/bin/sh\n",
    "lib/modules": b"",
    f"lib/modules/{RELEASE}": b"",
    f"lib/modules/{RELEASE}/modules.dep": b"kernel/fs/ext4/ext4.ko.gz:\n",
    f"lib/modules/{RELEASE}/kernel/fs/ext4/ext4.ko.gz": b"\x1f\x8b" + bytes(3001),
}
PLAIN = fakes.cpio(FILES)
MICROCODE = fakes.microcode()
OTHER_PLAIN = fakes.cpio({f"usr/lib/modules/{OTHER}/modules.dep": b""})

COMPRESSED = {
    "gzip": gzip.compress(PLAIN, mtime=0),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN, check=lzma.CHECK_CRC32),
    "lzma": lzma.compress(PLAIN, lzma.FORMAT_ALONE),
}
ALPINE = Initramfs({RELEASE}, False, 1, {"ext4"})

WHOLE: dict[str, tuple[bytes, Initramfs]] = {
    "uncompressed": (PLAIN, ALPINE),
    **{name: (content, ALPINE) for name, content in COMPRESSED.items()},
    "padded for a disk": (PLAIN + bytes(512), ALPINE),
    "gzip, padded for a disk": (COMPRESSED["gzip"] + bytes(511), ALPINE),
    "zeros before": (bytes(64) + PLAIN, ALPINE),
    "more zeros than one reads at once": (
        PLAIN + bytes(initramfs.CHUNK * 2) + PLAIN,
        Initramfs({RELEASE}, False, 2, {"ext4"}),
    ),
    "microcode only": (MICROCODE, Initramfs(set(), True, 1)),
    "microcode before gzip": (
        MICROCODE + COMPRESSED["gzip"],
        Initramfs({RELEASE}, True, 2, {"ext4"}),
    ),
    "microcode before cpio": (MICROCODE + PLAIN, Initramfs({RELEASE}, True, 2, {"ext4"})),
    "gzip before xz": (
        COMPRESSED["gzip"] + COMPRESSED["xz"],
        Initramfs({RELEASE}, False, 2, {"ext4"}),
    ),
    "two archives in one gzip file": (
        gzip.compress(PLAIN + bytes(100) + OTHER_PLAIN + bytes(12)),
        Initramfs({RELEASE, OTHER}, False, 2, {"ext4"}),
    ),
    "modules below /usr": (OTHER_PLAIN, Initramfs({OTHER}, False, 1)),
    "names with a dot and a slash": (
        fakes.cpio({f"./lib/modules/{RELEASE}/kernel/fs/ext4/ext4.ko": b""}),
        ALPINE,
    ),
    "a name that only begins as a module's": (
        fakes.cpio({f"lib/modules/{OTHER}/ext4.konf": b"", f"lib/modules/{OTHER}/x/.ko": b""}),
        Initramfs({OTHER}, False, 1),
    ),
    "no modules": (fakes.cpio({"init": b""}), Initramfs(set(), False, 1)),
    "an archive of nothing": (fakes.cpio({}), Initramfs(set(), False, 1)),
    "names that are no text": (PLAIN.replace(b"busybox", b"busy\xff\xffx"), ALPINE),
    "with checksums": (PLAIN.replace(b"070701", b"070702"), ALPINE),
    "a file larger than one reads at once": (
        fakes.cpio({"big": bytes(initramfs.CHUNK * 3 + 1), **FILES}),
        ALPINE,
    ),
}

FIELDS = [0, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 0]


def header(position: int, text: bytes) -> bytes:
    """The header of the file "init" with one number replaced."""
    numbers = [b"%08X" % field for field in FIELDS]
    numbers[position] = text
    return b"070701" + b"".join(numbers) + b"init\0" + bytes(1)


DAMAGED_HEADER = "a cpio header is damaged"
UNKNOWN = "it is neither a cpio archive nor compressed in a way that kernels know"
BROKEN = "its compressed data is damaged"

NOT_INITRAMFS: dict[str, tuple[bytes, str]] = {
    "a text": (b"#!/bin/sh\n", UNKNOWN),
    "an old cpio archive": (b"070707" + PLAIN[6:], UNKNOWN),
    "a kernel": (fakes.bzimage(), UNKNOWN),
    "a size that is no number": (header(6, b"0000000G"), DAMAGED_HEADER),
    "a size below zero": (header(6, b"-0000100"), DAMAGED_HEADER),
    "a size that only Python reads": (header(6, b"0000_001"), DAMAGED_HEADER),
    "a name without length": (header(11, b"00000000"), DAMAGED_HEADER),
    "a name without end": (header(11, b"00001001"), DAMAGED_HEADER),
    "no header where one should be": (header(6, b"00000000") + bytes(110), DAMAGED_HEADER),
    "something else inside gzip": (gzip.compress(b"hello" * 100), DAMAGED_HEADER),
    "something behind the archive in gzip": (gzip.compress(PLAIN + b"x" * 200), DAMAGED_HEADER),
    "something behind the archive": (PLAIN + b"hello", UNKNOWN),
    "a gzip checksum that is wrong": (COMPRESSED["gzip"][:-8] + bytes(8), BROKEN),
    "gzip data that is no data": (COMPRESSED["gzip"][:10] + b"\xff" * 50, BROKEN),
    "bzip2 data that is no data": (b"BZh9" + b"\xff" * 50, BROKEN),
    "xz data that is no data": (COMPRESSED["xz"][:12] + b"\xff" * 2000, BROKEN),
}

TRUNCATED: dict[str, bytes] = {
    "empty": b"",
    "only zeros": bytes(4096),
    "the trailer is missing": PLAIN[: PLAIN.index(b"TRAILER!!!") - 110],
    "in the trailer": PLAIN[: PLAIN.index(b"TRAILER!!!") + 4],
    "in a header": PLAIN[:60],
    "in a name": PLAIN[:111],
    "in a file": PLAIN[: PLAIN.index(b"\x7fELF") + 100],
    "after microcode": MICROCODE[:-20],
    "in the second archive": MICROCODE + COMPRESSED["gzip"][:-9],
    "an archive that ends inside gzip": gzip.compress(PLAIN[:-200]),
    "an archive that ends inside bzip2": bz2.compress(PLAIN[:-200]) + MICROCODE,
    **{f"{name} without its end": content[:-1] for name, content in COMPRESSED.items()},
}

FOREIGN = {"lz4": b"\x02\x21\x4c\x18", "lzop": b"\x89LZO\0\r\n\x1a\n"}
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

CUTTABLE = [PLAIN, *COMPRESSED.values()]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


def scan(content: bytes) -> Initramfs:
    return initramfs.scan(io.BytesIO(content))


class ZstdError(Exception):
    """The error of Python's module, which is a subclass of no other one."""


class StandInForZstd:
    """The interface of Python 3.14's decompressor, over zlib behind zstd's magic."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj()
        self._magic = len(ZSTD_MAGIC)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return True

    def decompress(self, data: bytes, _max_length: int = -1) -> bytes:
        skipped, self._magic = self._magic, max(0, self._magic - len(data))
        try:
            return self._inner.decompress(data[skipped:])
        except zlib.error as error:
            raise ZstdError(str(error)) from error


@pytest.fixture
def newer_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has zstd in its standard library."""
    module = types.SimpleNamespace(ZstdDecompressor=StandInForZstd, ZstdError=ZstdError)
    monkeypatch.setattr(importlib, "import_module", {"compression.zstd": module}.__getitem__)


@pytest.fixture
def older_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that does not know zstd."""

    def refuse(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", refuse)


@pytest.mark.parametrize(("content", "found"), WHOLE.values(), ids=WHOLE)
def test_scan(content: bytes, found: Initramfs) -> None:
    assert scan(content) == found


@pytest.mark.parametrize(("content", "why"), NOT_INITRAMFS.values(), ids=NOT_INITRAMFS)
def test_scan_of_no_initramfs(content: bytes, why: str) -> None:
    with pytest.raises(NotAnInitramfsError) as caught:
        scan(content)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize("content", TRUNCATED.values(), ids=TRUNCATED)
def test_scan_of_a_truncated_file(content: bytes) -> None:
    with pytest.raises(TruncatedError):
        scan(content)


@pytest.mark.parametrize(("name", "magic"), FOREIGN.items(), ids=FOREIGN)
def test_scan_without_a_decompressor(name: str, magic: bytes) -> None:
    with pytest.raises(NoDecompressorError, match=f"^{name}$"):
        scan(magic + bytes(100))


@pytest.mark.parametrize("before", [b"", MICROCODE], ids=["alone", "behind microcode"])
def test_scan_of_zstd_without_a_decompressor(older_python: None, before: bytes) -> None:
    with pytest.raises(NoDecompressorError, match=r"^zstd$"):
        scan(before + ZSTD_MAGIC + bytes(100))


@pytest.mark.parametrize("before", [b"", MICROCODE], ids=["alone", "behind microcode"])
def test_scan_of_zstd(newer_python: None, before: bytes) -> None:
    content = before + ZSTD_MAGIC + zlib.compress(PLAIN) + bytes(4)
    assert scan(content).releases == {RELEASE}


def test_scan_of_truncated_zstd(newer_python: None) -> None:
    with pytest.raises(TruncatedError):
        scan(ZSTD_MAGIC + zlib.compress(PLAIN)[:-1])


def test_scan_of_damaged_zstd(newer_python: None) -> None:
    with pytest.raises(NotAnInitramfsError, match=BROKEN):
        scan(ZSTD_MAGIC + zlib.compress(PLAIN)[:2] + b"\xff" * 50)


@pytest.mark.parametrize(
    ("name", "releases", "microcode"),
    [
        (f"lib/modules/{RELEASE}/modules.dep", {RELEASE}, False),
        (f"/lib/modules/{RELEASE}/modules.dep", {RELEASE}, False),
        (f"lib/modules/{RELEASE}", set(), False),
        ("lib/modules-load.d/ipv6.conf", set(), False),
        ("opt/lib/modules/1.2/x", set(), False),
        ("kernel/x86/microcode/AuthenticAMD.bin", set(), True),
        ("lib/firmware/kernel/x86/microcode/x", set(), False),
    ],
)
def test_note(name: str, releases: set[str], microcode: bool) -> None:
    found = Initramfs()
    found.note(name)
    assert (found.releases, found.microcode) == (releases, microcode)


@given(st.data())
def test_every_cut_is_found_out(data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(CUTTABLE))
    # The zeros that fill the last word up are no part of the archive.
    size = data.draw(st.integers(0, len(content.rstrip(b"\0")) - 1))
    with pytest.raises((TruncatedError, NotAnInitramfsError)):
        scan(content[:size])


@given(st.dictionaries(NAMES.filter(lambda name: name != "TRAILER!!!"), st.binary(max_size=9)))
def test_any_archive_is_read_to_its_end(files: dict[str, bytes]) -> None:
    content = fakes.cpio({**files, f"lib/modules/{RELEASE}/last": b""})
    assert RELEASE in scan(content).releases
    assert scan(gzip.compress(content)).archives == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_an_initramfs_or_an_error_with_a_name(content: bytes) -> None:
    for start in (b"", PLAIN, b"070701", b"\x1f\x8b\x08\0"):
        try:
            assert scan(start + content).archives
        except (TruncatedError, NotAnInitramfsError, NoDecompressorError):
            continue


ZEROS = bytes(48 << 20)
BOMBS = {
    "gzip": lambda content: gzip.compress(content, 9, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("compress", BOMBS.values(), ids=BOMBS)
def test_small_file_that_holds_much_takes_little_memory(
    compress: t.Callable[[bytes], bytes],
) -> None:
    content = compress(fakes.cpio({"zeros": ZEROS, f"lib/modules/{RELEASE}/modules.dep": b""}))
    tracemalloc.start()
    try:
        found = initramfs.scan(io.BytesIO(content))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.releases == {RELEASE}
    assert peak < len(ZEROS) / 4


def test_file_that_takes_much_memory_to_decompress_is_not_looked_into() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}]
    content = lzma.compress(PLAIN, lzma.FORMAT_XZ, filters=filters)
    with pytest.raises(NoDecompressorError):
        initramfs.scan(io.BytesIO(content))


def test_file_that_would_have_to_be_waited_for_is_an_error() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    with (
        os.fdopen(write, "wb"),
        os.fdopen(read, "rb") as file,
        pytest.raises(OSError, match="unavail"),
    ):
        initramfs.scan(file)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Initramfs files: read as the kernel reads them, one cpio archive after the other."""

from __future__ import annotations

import bz2
import importlib
import lzma
import re
import typing as t
import zlib
from dataclasses import dataclass, field

CHUNK = 256 * 1024
CPIO_MAGIC = (b"070701", b"070702")
HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
MICROCODE = "kernel/x86/microcode/"
# A longer name is not a name: the kernel's PATH_MAX.
NAME_LIMIT = 4096

_MODULES = re.compile(r"(?:usr/)?lib/modules/([^/]+)/")


class NotAnInitramfs(Exception):
    """The file holds something else."""


class Truncated(Exception):
    """The file ends before its archive does."""


class NoDecompressor(Exception):
    """The compression is known and nothing here can undo it."""


class Decompressor(t.Protocol):
    """The part that zlib, bz2 and lzma objects share."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def _gunzip() -> Decompressor:
    return t.cast(Decompressor, zlib.decompressobj(16 + zlib.MAX_WBITS))


def _unzstd() -> Decompressor:
    """Python learnt zstd in 3.14; older ones cannot look inside."""
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError as error:
        raise NoDecompressor("zstd") from error
    return t.cast(Decompressor, module.ZstdDecompressor())


DECOMPRESSORS: tuple[tuple[bytes, t.Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", _gunzip),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    (b"\x5d\x00\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
    (b"\x28\xb5\x2f\xfd", _unzstd),
)

# Formats that the kernel knows and Python's standard library does not.
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\x89LZO", "lzop"),
)


@dataclass
class Initramfs:
    """What is inside, as far as it matters here."""

    releases: set[str] = field(default_factory=set)
    microcode: bool = False
    archives: int = 0

    def note(self, name: str) -> None:
        match = _MODULES.match(name.lstrip("./"))
        if match:
            self.releases.add(match.group(1))
        self.microcode = self.microcode or name.startswith(MICROCODE)


class _Source:
    """Bytes of the file with a look ahead, so that the next archive's kind can be seen."""

    def __init__(self, file: t.BinaryIO) -> None:
        self._file = file
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size:
            more = self._file.read(CHUNK)
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def take(self) -> bytes:
        """The next piece of any size, empty at the end."""
        piece, self._ahead = self._ahead or self._file.read(CHUNK), b""
        return piece

    def give_back(self, piece: bytes) -> None:
        self._ahead = piece + self._ahead

    def skip_padding(self) -> bool:
        """Skip the zeros that may stand between archives; tell whether anything follows."""
        while True:
            piece = self.take().lstrip(b"\0")
            if piece:
                self.give_back(piece)
                return True
            if not self.peek(1):
                return False


class _Stream:
    """The bytes of one archive, decompressed where needed."""

    def __init__(self, source: _Source, decompressor: Decompressor | None) -> None:
        self._source = source
        self._decompressor = decompressor
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._ready) < size:
            self._fill()
        piece = bytes(self._ready[:size])
        del self._ready[:size]
        return piece

    def skip(self, size: int) -> None:
        while size > len(self._ready):
            size -= len(self._ready)
            self._ready.clear()
            self._fill()
        del self._ready[:size]

    def _fill(self) -> None:
        if self._decompressor is not None and self._decompressor.eof:
            raise Truncated
        piece = self._source.take()
        if not piece:
            raise Truncated
        self._ready += _decompress(self._decompressor, piece) if self._decompressor else piece

    def finish(self) -> None:
        """Leave the source behind this archive; a compressed one is read to its checksum."""
        if self._decompressor is None:
            self._source.give_back(bytes(self._ready))
            return
        while not self._decompressor.eof:
            self._ready.clear()
            self._fill()
        self._source.give_back(self._decompressor.unused_data)


def _decompress(decompressor: Decompressor, piece: bytes) -> bytes:
    try:
        return decompressor.decompress(piece)
    except (OSError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise NotAnInitramfs(f"its compressed data is damaged: {error}") from error


def scan(file: t.BinaryIO) -> Initramfs:
    """Read the whole file; raise if it is not an initramfs, is cut, or cannot be decompressed."""
    found = Initramfs()
    source = _Source(file)
    while source.skip_padding():
        stream = _Stream(source, _decompressor_for(source.peek(8)))
        _scan_archive(stream, found)
        stream.finish()
        found.archives += 1
    if not found.archives:
        raise Truncated
    return found


def _decompressor_for(magic: bytes) -> Decompressor | None:
    if magic.startswith(CPIO_MAGIC):
        return None
    for start, make in DECOMPRESSORS:
        if magic.startswith(start):
            return make()
    for start, name in FOREIGN:
        if magic.startswith(start):
            raise NoDecompressor(name)
    raise NotAnInitramfs("it is neither a cpio archive nor compressed in a way that kernels know")


def _scan_archive(stream: _Stream, found: Initramfs) -> None:
    while True:
        name, size = _entry(stream)
        if name == TRAILER:
            return
        found.note(name)
        stream.skip(size + -size % 4)


def _entry(stream: _Stream) -> tuple[str, int]:
    """One header and name; both together are padded to four bytes."""
    header = stream.read(HEADER_BYTES)
    if not header.startswith(CPIO_MAGIC):
        raise NotAnInitramfs("a cpio header is damaged")
    try:
        size, name_size = int(header[54:62], 16), int(header[94:102], 16)
    except ValueError as error:
        raise NotAnInitramfs("a cpio header is damaged") from error
    if not 0 < name_size <= NAME_LIMIT:
        raise NotAnInitramfs("a cpio header is damaged")
    padded = name_size + -(HEADER_BYTES + name_size) % 4
    name = stream.read(padded)[: name_size - 1]
    return name.decode("utf-8", "surrogateescape"), size

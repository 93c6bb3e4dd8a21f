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

from .._host.port import read_piece

CHUNK = 256 * 1024
# What a decompressor may take, and give at once: small files can hold gigabytes.
MEMORY = 128 * 1024 * 1024
PIECE = 1024 * 1024
CPIO_MAGIC = (b"070701", b"070702")
HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
MICROCODE = "kernel/x86/microcode/"
# A longer name is not a name: the kernel's PATH_MAX.
NAME_LIMIT = 4096

# The magic and thirteen numbers of eight digits.
_HEADER = re.compile(rb"07070[12][0-9A-Fa-f]{104}")
_MODULES = re.compile(r"(?:usr/)?lib/modules/([^/]+)/(?:.*/([^/]+)\.ko(?:\.\w+)?$)?")


class NotAnInitramfsError(Exception):
    """The file holds something else."""


class TruncatedError(Exception):
    """The file ends before its archive does."""


class NoDecompressorError(Exception):
    """The compression is known and nothing here can undo it."""


class Decompressor(t.Protocol):
    """The part that zlib, bz2 and lzma objects share."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's object, which hands back what it did not use yet, with the others' interface."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._full

    def decompress(self, data: bytes, /, max_length: int = 0) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length and not self._inner.eof
        return piece


class _Zstd:
    """A decompressor whose error, known only where zstd is, becomes one that all know."""

    def __init__(self, inner: Decompressor, error: type[Exception]) -> None:
        self._inner = inner
        self._error = error

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        try:
            return self._inner.decompress(data, max_length)
        except self._error as error:
            raise ValueError(str(error)) from error


def _unzstd() -> Decompressor:
    """Python learnt zstd in 3.14; older ones cannot look inside."""
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError as error:
        raise NoDecompressorError("zstd") from error
    return _Zstd(module.ZstdDecompressor(), module.ZstdError)


DECOMPRESSORS: tuple[tuple[bytes, t.Callable[[], Decompressor]], ...] = (
    (b"\x1f\x8b", _Gzip),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)),
    (b"\x5d\x00\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, MEMORY)),
    (b"\x28\xb5\x2f\xfd", _unzstd),
)

# Formats that the kernel knows and Python's standard library does not.
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\x89LZO", "lzop"),
)


def module_name(file: str) -> str:
    """The name of a module, in which dashes and underscores are equal."""
    return file.replace("-", "_")


@dataclass
class Initramfs:
    """What is inside, as far as it matters here."""

    releases: set[str] = field(default_factory=set)
    microcode: bool = False
    archives: int = 0
    modules: set[str] = field(default_factory=set)

    def note(self, name: str) -> None:
        match = _MODULES.match(name.lstrip("./"))
        if match:
            self.releases.add(match[1])
            if match[2]:
                self.modules.add(module_name(match[2]))
        self.microcode = self.microcode or name.startswith(MICROCODE)


class _Source:
    """Bytes of the file with a look ahead, so that the next archive's kind can be seen."""

    def __init__(self, file: t.BinaryIO) -> None:
        self._file = file
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size:
            more = read_piece(self._file, CHUNK)
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def take(self) -> bytes:
        """The next piece of any size, empty at the end."""
        piece, self._ahead = self._ahead or read_piece(self._file, CHUNK), b""
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
        inner = self._decompressor
        if inner is not None and inner.eof:
            raise TruncatedError
        if inner is not None and not inner.needs_input:
            self._ready += _decompress(inner, b"")
            return
        piece = self._source.take()
        if not piece:
            raise TruncatedError
        self._ready += piece if inner is None else _decompress(inner, piece)

    def another(self) -> bool:
        """Tell whether an archive follows inside; if not, leave the source behind this stream.

        Compressed bytes may hold several archives and are read to their checksum.
        """
        if self._decompressor is None:
            self._source.give_back(bytes(self._ready))
            return False
        while True:
            self._ready = self._ready.lstrip(b"\0")
            if self._ready:
                return True
            if self._decompressor.eof:
                self._source.give_back(self._decompressor.unused_data)
                return False
            self._fill()


def _decompress(decompressor: Decompressor, piece: bytes) -> bytes:
    try:
        return decompressor.decompress(piece, PIECE)
    except lzma.LZMAError as error:
        if "limit" in str(error):
            raise NoDecompressorError("xz") from error
        raise NotAnInitramfsError(f"its compressed data is damaged: {error}") from error
    except (OSError, ValueError, zlib.error) as error:
        raise NotAnInitramfsError(f"its compressed data is damaged: {error}") from error


def scan(file: t.BinaryIO) -> Initramfs:
    """Read the whole file; raise if it is not an initramfs, is cut, or cannot be decompressed."""
    found = Initramfs()
    source = _Source(file)
    while source.skip_padding():
        stream = _Stream(source, _decompressor_for(source.peek(8)))
        more = True
        while more:
            _scan_archive(stream, found)
            found.archives += 1
            more = stream.another()
    if not found.archives:
        raise TruncatedError
    return found


def _decompressor_for(magic: bytes) -> Decompressor | None:
    if magic.startswith(CPIO_MAGIC):
        return None
    for start, make in DECOMPRESSORS:
        if magic.startswith(start):
            return make()
    for start, name in FOREIGN:
        if magic.startswith(start):
            raise NoDecompressorError(name)
    raise NotAnInitramfsError(
        "it is neither a cpio archive nor compressed in a way that kernels know"
    )


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
    if not _HEADER.fullmatch(header):
        raise NotAnInitramfsError("a cpio header is damaged")
    size, name_size = int(header[54:62], 16), int(header[94:102], 16)
    if not 0 < name_size <= NAME_LIMIT:
        raise NotAnInitramfsError("a cpio header is damaged")
    padded = name_size + -(HEADER_BYTES + name_size) % 4
    name = stream.read(padded)[: name_size - 1]
    return name.decode("utf-8", "surrogateescape"), size

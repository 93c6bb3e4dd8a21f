# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Initramfs files: read as the kernel reads them, one cpio archive after the other."""

from __future__ import annotations

import bz2
import importlib
import lzma
import re
import typing as t
import zlib
from dataclasses import dataclass, field

from .._host.port import PIECE, read_piece

CHUNK = 256 * 1024
# What a decompressor may take, and give at once: small files can hold gigabytes.
MEMORY_LIMIT = 128 * 1024 * 1024
CPIO_MAGIC = (b"070701", b"070702")
HEADER_BYTES = 110
# Where the kernel looks for the next archive: at a multiple of so many bytes.
ALIGNMENT = 4
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


# With what it raises where data is damaged.
Tool = tuple[Decompressor, t.Union[type[Exception], tuple[type[Exception], ...]]]


def _unzstd() -> Tool:
    """Python learnt zstd in 3.14; older ones cannot look inside."""
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError as error:
        raise NoDecompressorError("zstd") from error
    return module.ZstdDecompressor(), module.ZstdError


def _unxz(form: int) -> Tool:
    return lzma.LZMADecompressor(form, MEMORY_LIMIT), lzma.LZMAError


TOOLS: tuple[tuple[bytes, t.Callable[[], Tool]], ...] = (
    (b"\x1f\x8b", lambda: (_Gzip(), zlib.error)),
    (b"BZh", lambda: (bz2.BZ2Decompressor(), (OSError, ValueError))),
    (b"\xfd7zXZ\0", lambda: _unxz(lzma.FORMAT_XZ)),
    (b"\x5d\x00\x00", lambda: _unxz(lzma.FORMAT_ALONE)),
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


class _Bytes:
    """Bytes that come in pieces, with a look ahead."""

    def __init__(self, pieces: t.Iterator[bytes]) -> None:
        self._pieces = pieces
        self._ready = bytearray()

    def peek(self, size: int) -> bytes:
        """So many bytes, or all that are left."""
        while len(self._ready) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._ready += piece
        return bytes(self._ready[:size])

    def read(self, size: int) -> bytes:
        piece = self.peek(size)
        if len(piece) < size:
            raise TruncatedError
        del self._ready[:size]
        return piece

    def skip(self, size: int) -> None:
        while size > len(self._ready):
            size -= len(self._ready)
            self._ready.clear()
            if not self.peek(1):
                raise TruncatedError
        del self._ready[:size]

    def skip_padding(self) -> bool:
        """Skip the zeros that may stand between archives; tell whether anything follows."""
        while self.peek(1):
            self._ready = self._ready.lstrip(b"\0")
            if self._ready:
                return True
        return False

    def take(self) -> bytes:
        """The next piece of any size, empty at the end."""
        self.peek(1)
        piece = bytes(self._ready)
        self._ready.clear()
        return piece

    def give_back(self, piece: bytes) -> None:
        self._ready[:0] = piece


def _decompressed(source: _Bytes, tool: Tool) -> t.Iterator[bytes]:
    """Read to the end of the stream, which has a checksum; what is behind it stays."""
    inner, damage = tool
    while not inner.eof:
        piece = source.take() if inner.needs_input else b""
        if inner.needs_input and not piece:
            raise TruncatedError
        try:
            yield inner.decompress(piece, PIECE)
        except damage as error:
            if isinstance(error, lzma.LZMAError) and "limit" in str(error):
                raise NoDecompressorError("xz") from error
            raise NotAnInitramfsError(f"its compressed data is damaged: {error}") from error
    source.give_back(inner.unused_data)


def scan(file: t.BinaryIO) -> Initramfs:
    """Read the whole file; raise if it is not an initramfs, is cut, or cannot be decompressed."""
    found = Initramfs()
    source = _Bytes(iter(lambda: read_piece(file, CHUNK), b""))
    while source.skip_padding():
        tool = _tool_for(source.peek(8))
        if tool is None:
            _scan_archive(source, found)
            continue
        # Compressed bytes may hold several archives.
        inner = _Bytes(_decompressed(source, tool))
        _scan_archive(inner, found)
        while inner.skip_padding():
            _scan_archive(inner, found)
    if not found.archives:
        raise TruncatedError
    return found


def _tool_for(magic: bytes) -> Tool | None:
    if magic.startswith(CPIO_MAGIC):
        return None
    for start, make in TOOLS:
        if magic.startswith(start):
            return make()
    for start, name in FOREIGN:
        if magic.startswith(start):
            raise NoDecompressorError(name)
    raise NotAnInitramfsError(
        "it is neither a cpio archive nor compressed in a way that kernels know"
    )


def _scan_archive(stream: _Bytes, found: Initramfs) -> None:
    while True:
        name, size = _entry(stream)
        if name == TRAILER:
            found.archives += 1
            return
        found.note(name)
        stream.skip(size + -size % 4)


def _entry(stream: _Bytes) -> tuple[str, int]:
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

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a boot loader has been told to boot once."""

from __future__ import annotations

import os

from ..._bootloader.loaders.extlinux import CORES
from ..._bootloader.loaders.grub import NEXT_ENTRY, block_of, environment
from ..._host.port import FileProblemError, Host
from .entry import id_of
from .see import Menued

# What extlinux keeps between boots, twice at the end of its core: marks around fields of a kind, a
# length and so many bytes. What is behind the last field is of earlier orders.
_AREA = 512
_MARKS = (bytes.fromhex("a52f2d5a"), bytes.fromhex("64bf28dd"))
_FIELDS = slice(8, 508)
_BOOT_ONCE = 1


def pending(host: Host, seen: Menued) -> str | None:
    """The slot that the next boot through firmware boots, and only that one."""
    if seen.settings.loader == "grub":
        block = host.text(block_of(seen.site.menu)) or ""
        return id_of(environment(block).get(NEXT_ENTRY, ""))
    if seen.settings.loader == "extlinux":
        orders = (kept_order(_end(host, path)) for path in CORES)
        return next(filter(None, map(id_of, orders)), None)
    return None


def _end(host: Host, path: str) -> bytes:
    try:
        with host.open(path) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 2 * _AREA))
            return file.read()
    except (FileProblemError, OSError):
        return b""


def kept_order(end: bytes) -> str:
    """The label that extlinux boots once, by the end of its core; nothing if there is none."""
    areas = (end[start : start + _AREA] for start in (0, _AREA))
    valid = (area for area in areas if (area[:4], area[_FIELDS.stop : _AREA]) == _MARKS)
    fields = next(valid, b"")[_FIELDS]
    while len(fields) > 2 and fields[0] != 0:
        kind, size = fields[0], fields[1]
        if kind == _BOOT_ONCE:
            return fields[2 : 2 + size].rstrip(b"\0").decode("latin-1")
        fields = fields[2 + size :]
    return ""

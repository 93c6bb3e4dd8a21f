# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Entries of slots as extlinux.conf has them, in the two ways in which it is read."""

from __future__ import annotations

import typing as t

from .entry import SlotEntry, WantedSlots
from .kind import Site


def in_syslinux(site: Site, wanted: WantedSlots) -> t.Iterator[str]:
    """Labels for the syslinux family, of which one is marked as the default."""
    for entry in wanted.ordered:
        marked = ["MENU DEFAULT"] if entry.id == wanted.default else []
        images = [site.beside(path) for path in entry.initramfs]
        initramfs = [f"INITRD {','.join(images)}"] if images else []
        yield _label(
            entry,
            *marked,
            f"MENU LABEL {entry.title}",
            f"LINUX {site.beside(entry.kernel)}",
            *initramfs,
            f"APPEND {entry.boots_with}",
        )


def in_uboot(site: Site, wanted: WantedSlots) -> t.Iterator[str]:
    """Labels for U-Boot, which takes one initramfs and is told of device trees."""
    for entry in wanted.ordered:
        trees = [f"FDTDIR {site.from_root(entry.dtbs)}"] if entry.dtbs else []
        yield _label(
            entry,
            f"MENU LABEL {entry.title}",
            f"LINUX {site.from_root(entry.kernel)}",
            *(f"INITRD {site.from_root(path)}" for path in entry.initramfs),
            *trees,
            f"APPEND {entry.boots_with}",
        )


def _label(entry: SlotEntry, *lines: str) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"LABEL {entry.label}\n{body}"

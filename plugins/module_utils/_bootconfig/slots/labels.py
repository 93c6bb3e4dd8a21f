# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Entries of slots as menus have them: extlinux.conf in the two ways in which it is read, and limine.conf."""

from __future__ import annotations

import typing as t

from .entry import WantedSlots
from .kind import Site


def in_syslinux(site: Site, wanted: WantedSlots) -> t.Iterator[str]:
    """Labels for the syslinux family, of which one is marked as the default."""
    for entry in wanted.ordered:
        marked = ["MENU DEFAULT"] if entry.id == wanted.default else []
        images = [site.beside(path) for path in entry.initramfs]
        initramfs = [f"INITRD {','.join(images)}"] if images else []
        yield _entry(
            f"LABEL {entry.label}",
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
        yield _entry(
            f"LABEL {entry.label}",
            f"MENU LABEL {entry.title}",
            f"LINUX {site.from_root(entry.kernel)}",
            *(f"INITRD {site.from_root(path)}" for path in entry.initramfs),
            *trees,
            f"APPEND {entry.boots_with}",
        )


def in_limine(site: Site, wanted: WantedSlots) -> t.Iterator[str]:
    """Entries for limine, which has no other name for one than its title."""
    for entry in wanted.ordered:
        yield _entry(
            f"/{entry.label}",
            f"comment: {entry.title}",
            "protocol: linux",
            f"path: boot():{site.from_root(entry.kernel)}",
            *(f"module_path: boot():{site.from_root(path)}" for path in entry.initramfs),
            f"cmdline: {entry.boots_with}",
        )


def _entry(head: str, *lines: str) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"{head}\n{body}"

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Slots in an extlinux.conf that nothing makes anew: U-Boot's, or one that is kept by hand.

The file is the menu, and is replaced as a whole. What named its default is kept in comments.
"""

from __future__ import annotations

import re

from ..._bootloader.listing import Listing
from ..._bootloader.loader import Entry
from ..settings.extlinux import UBOOT_FORBIDDEN
from . import block
from .entry import WantedSlots, id_of
from .kind import BootTexts, Kind, Said, Site, menu_alone, of_apk, said_by_menu
from .labels import in_syslinux, in_uboot

_NAMES_DEFAULT = re.compile(r"[ \t]*(?:default|ontimeout|menu[ \t]+default)\b", re.IGNORECASE)
# What shows a menu, which looks for its default in the labels.
_SHOWS = re.compile(r"[ \t]*(?:ui\b|default[ \t]+\S+\.c32\b)", re.IGNORECASE)


def _written(
    site: Site, files: BootTexts, wanted: WantedSlots, _listing: Listing
) -> dict[str, str | None]:
    base = block.given_back(site.menu, files[site.menu] or "")
    if wanted.first is None:
        return {site.menu: base}
    lines = base.split("\n")
    shows = site.syslinux and any(map(_SHOWS.match, lines))
    kept = "\n".join(
        block.KEPT + line if _names_default(line, shows=shows) else line for line in lines
    )
    default = [] if shows else [f"DEFAULT {wanted.first.label}"]
    labels = in_syslinux(site, wanted) if site.syslinux else in_uboot(site, wanted)
    body = [*default, *"".join(labels).splitlines()]
    return {site.menu: block.with_lines(site.menu, kept, body, None)}


def _names_default(line: str, *, shows: bool) -> bool:
    """A program that shows the menu stays what it is."""
    return bool(_NAMES_DEFAULT.match(line)) and not (shows and _SHOWS.match(line))


def _said(files: BootTexts, listing: Listing) -> Said:
    for path, text in files.items():
        block.without(path, text, None)
    return said_by_menu(listing)


def _apks(_files: BootTexts, listing: Listing, flavour: str | None) -> Entry | None:
    """The one that boots while none of ours is there, or the first of its flavour."""
    default = listing.default
    if flavour is None and isinstance(default, Entry) and id_of(default.name) is None:
        return default
    return next(iter(of_apk(listing, flavour)), None)


def _named(site: Site, path: str) -> str:
    return site.beside(path) if site.syslinux else site.from_root(path)


IN_FILE = Kind(menu_alone, _said, _written, _apks, _named, forbidden=UBOOT_FORBIDDEN)

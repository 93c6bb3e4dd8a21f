# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Slots where update-extlinux makes the menu: a file of ours beside its settings, and a default.

The tool marks an entry of its own as the default one by default= in its settings, and appends the
files of its directory as they are. Of two entries that are marked the last one boots, which is
ours. So our file comes before the settings, and leaves behind them.
"""

from __future__ import annotations

import re

from ..._bootloader.listing import Listing
from ..._bootloader.loader import Entry, NotUnderstoodError
from ..._bootloader.loaders import extlinux
from ..settings.shell import assigned, assigned_or_new, value_of, with_value
from ..settings.update_extlinux import SETTINGS
from . import block
from .entry import WantedSlots, id_of
from .kind import BootTexts, Kind, Said, Site, is_of, of_apk
from .labels import in_syslinux

FRAGMENTS = "/etc/update-extlinux.d"
FRAGMENT = f"{FRAGMENTS}/alpinefleet-kexec.conf"
# What no entry of the tool is called, so that it marks none.
NO_LABEL = "alpinefleet-kexec"
_DEFAULT = "default"
# The tool removes the old menu before the new one is in place: no trigger of apk is to call it.
_BODY = (f"{_DEFAULT}={NO_LABEL}", "disable_trigger=1")
_OWN = (re.compile(rf"{_DEFAULT}=[\"']?{NO_LABEL}[\"']?"), re.compile(r"disable_trigger=1"))
# What the file before it ends with is no matter behind an empty line.
_BEGINNING = "\n# Written by alpinefleet.kexec; what is changed here by hand is lost.\n"


def _files(_site: Site) -> tuple[str, ...]:
    return (FRAGMENT, SETTINGS)


def _said(files: BootTexts, _listing: Listing) -> Said:
    fragment, settings = files[FRAGMENT], files[SETTINGS]
    is_default = block.is_written(SETTINGS, settings, _BODY, _OWN)
    if fragment is None:
        return Said(whole=not block.lines_in(SETTINGS, settings, _OWN))
    try:
        menu = extlinux.parse(fragment, syslinux=True)
    except NotUnderstoodError:
        return Said(whole=False)
    labels = [each.name for each in menu.labels]
    slots = {label: slot for label in labels if (slot := id_of(label))}
    marked = [slots[label] for label in labels if label in menu.menu_defaults and label in slots]
    named = frozenset(slots.values())
    return Said(marked[-1] if marked else None, named, is_default and len(marked) == 1)


def _written(
    site: Site, files: BootTexts, wanted: WantedSlots, listing: Listing
) -> dict[str, str | None]:
    settings = files[SETTINGS]
    if wanted.default is not None:
        return {
            FRAGMENT: _BEGINNING + "".join(in_syslinux(site, wanted)),
            SETTINGS: block.with_lines(SETTINGS, settings, _BODY, _OWN),
        }
    return {SETTINGS: _given_back(files, wanted, listing), FRAGMENT: None}


def _given_back(files: BootTexts, wanted: WantedSlots, listing: Listing) -> str | None:
    """The settings as they were, but for a default that is of another flavour than the wanted."""
    base = block.without(SETTINGS, files[SETTINGS], _OWN)
    now = _apks(files, listing, None)
    found = of_apk(listing, wanted.flavour)
    if wanted.flavour is None or base is None or not found or (now and is_of(now, wanted.flavour)):
        return base
    return with_value(base, assigned_or_new(SETTINGS, base, _DEFAULT), found[0].name)


def _apks(files: BootTexts, listing: Listing, flavour: str | None) -> Entry | None:
    found = of_apk(listing, flavour)
    wanted = None if flavour else _configured(files)
    named = [each for each in found if each.name == wanted]
    return next(iter(named or found), None)


def _configured(files: BootTexts) -> str | None:
    """The label that the settings name without us."""
    text = block.without(SETTINGS, files[SETTINGS], _OWN) or ""
    try:
        span = assigned(SETTINGS, text, _DEFAULT)
    except NotUnderstoodError:
        return None
    return None if span is None else value_of(text, span)


OF_UPDATE_EXTLINUX = Kind(
    _files,
    _said,
    _written,
    _apks,
    Site.beside,
    also=(FRAGMENTS,),
    of_menu=lambda _site: extlinux.CORES,
)

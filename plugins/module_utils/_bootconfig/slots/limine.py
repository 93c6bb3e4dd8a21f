# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Slots in limine.conf, which nothing makes anew: the file is the menu, and is replaced as a whole.

Their entries come before all others and behind the options of all. So the default is the first one,
whatever directories follow and however those are counted. What named it before is kept in comments.
"""

from __future__ import annotations

import re

from ..._bootloader.listing import Listing
from ..._bootloader.loader import Entry, NotUnderstoodError
from ..._bootloader.loaders.limine import default_entry, parse
from ..._cmdline import SLOT_PARAMETER
from ..._host import machine
from ..._host.port import Host
from ..settings.limine import FORBIDDEN
from . import block
from .entry import FOLDER, LABEL_PREFIX, WantedSlots, id_of
from .kind import BootTexts, Kind, Said, Site, is_of, menu_alone, of_apk, said_by_menu, unsupported
from .labels import in_limine

_UNDER_SECURE_BOOT = "the boot loader limine under Secure Boot"
_DEFAULT = "default_entry"
_FIRST = f"{_DEFAULT}: 1"
_TITLE = re.compile(r"^[ \t]*/", re.MULTILINE)
# Limine takes carriage returns away wherever they are, and puts in what a macro stands for, before
# it looks for titles. One that is seen by it alone would be before ours.
_HIDES = re.compile(r"^[ \t]*\$\{[^}\n]*\}(?!=)|\r(?!\n|\Z)", re.MULTILINE)
_OWN = tuple(
    map(
        re.compile,
        (
            _FIRST,
            rf"/{LABEL_PREFIX}\S+",
            r"comment: .*",
            r"protocol: linux",
            rf"(?:module_)?path: boot\(\):.*/{FOLDER}/\S+",
            rf"cmdline: .*\b{re.escape(SLOT_PARAMETER)}=.*",
        ),
    )
)


def _written(
    site: Site, files: BootTexts, wanted: WantedSlots, _listing: Listing
) -> dict[str, str | None]:
    base = _given_back(site.menu, files[site.menu] or "")
    # Taken out again, it must be known what boots.
    default_entry(base)
    if wanted.first is None:
        return {site.menu: base}
    before, behind = _parted(base)
    lines = [_FIRST, *"".join(in_limine(site, wanted)).splitlines()]
    return {site.menu: _kept(before) + block.marked(lines) + behind}


def _given_back(path: str, text: str) -> str:
    """The menu as it was."""
    block.check(path, text, _OWN)
    base = block.given_back(path, text)
    for entry in parse(base).entries:
        if id_of(entry.title) is not None:
            raise block.edited(path, entry.title, "it is of a slot, and not between those")
    return base


def _parted(base: str) -> tuple[str, str]:
    """The options of all, and the entries, of which there is one at least."""
    hides = _HIDES.search(base)
    if hides is not None:
        raise NotUnderstoodError(f"it may have a title behind {hides[0]!r}")
    first = parse(base).entries[0]
    if first.depth > 1:
        # It would be in a directory of ours.
        raise NotUnderstoodError(f"its first entry {first.title!r} is in no directory")
    options, *_entries = _TITLE.split(base, 1)
    return options, base[len(options) :]


def _kept(options: str) -> str:
    """Of several defaults limine takes the first one, which is to be ours."""
    for option in reversed(parse(options).common.all(_DEFAULT)):
        line = options.rfind("\n", 0, option.start) + 1
        options = options[:line] + block.KEPT + options[line:]
    return options


def _said(files: BootTexts, listing: Listing) -> Said:
    for path, text in files.items():
        _given_back(path, text or "")
    return said_by_menu(listing)


def _apks(files: BootTexts, listing: Listing, flavour: str | None) -> Entry | None:
    """The default of the menu as it was, or the first entry where that is of another flavour.

    Or where it cannot be told: whoever wants to write is told why that is.
    """
    ((path, text),) = files.items()
    try:
        default = default_entry(_given_back(path, text or ""))
    except NotUnderstoodError:
        default = None
    if default is not None and (flavour is None or is_of(default, flavour)):
        return default
    return next(iter(of_apk(listing, flavour)), None)


def _refuse(host: Host) -> None:
    """A file without a sum ends limine with a panic there."""
    found = machine.secure_boot(host)
    if found is None:
        raise unsupported(_UNDER_SECURE_BOOT, "whether that is on is not known without efivarfs")
    if found:
        raise unsupported(_UNDER_SECURE_BOOT, "it boots no file without a sum, and slots have none")


OF_LIMINE = Kind(
    menu_alone, _said, _written, _apks, Site.from_root, forbidden=FORBIDDEN, refuse=_refuse
)

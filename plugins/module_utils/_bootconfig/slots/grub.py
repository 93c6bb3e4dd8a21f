# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Slots in GRUB's menu: a script of ours in /etc/grub.d, and its default in the settings.

The script says nothing unless the settings name one of ours as the default. So until then all other
entries keep their numbers, and a script without its settings, or settings of which the entry is
gone, never boot something that was neither the old nor the new default: where GRUB does not find
its default, it takes the first entry, and the script gives the default one before all others.
"""

from __future__ import annotations

import re

from ..._bootloader.listing import Listing
from ..._bootloader.loader import Entry, NotUnderstoodError
from ..._bootloader.loaders.grub import block_of
from ..settings.grub import FORBIDDEN, SETTINGS
from ..settings.shell import assigned, assigned_or_new, value_of, with_value
from . import block
from .entry import LABEL_PREFIX, SlotEntry, WantedSlots, id_of, is_id, label_of
from .kind import BootTexts, Kind, Said, Site, is_of, of_apk

SCRIPTS = "/etc/grub.d"
# Before 10_linux.
SCRIPT = f"{SCRIPTS}/09_alpinefleet-kexec"
# Of Alpine's update-grub, which apk's trigger calls.
TRIGGER = "/etc/update-grub.conf"
DEFAULT_VARIABLE = "GRUB_DEFAULT"
GRUB_OWN = (re.compile(rf"{DEFAULT_VARIABLE}=[\"']?{LABEL_PREFIX}[A-Za-z0-9._+~-]+[\"']?"),)
TRIGGER_BODY = ("disable_trigger=1",)
TRIGGER_OWN = (re.compile("disable_trigger=1"),)
_BOOT = "/boot"

_ENTRY = re.compile(r"^slot '([^']*)'", re.MULTILINE)
_TEMPLATE = """\
#!/bin/sh
# Written by alpinefleet.kexec; what is changed here by hand is lost.
set -e

# All other entries keep their numbers until one of these is the default.
case "${GRUB_DEFAULT-}" in
    PREFIX*) ;;
    *) exit 0 ;;
esac

. "${pkgdatadir:?}/grub-mkconfig_lib"

# How GRUB sees it.
boot=$(make_system_path_relative_to_its_root BOOT)
place=$(prepare_grub_to_access_device "$GRUB_DEVICE_BOOT" | grub_add_tab)

slot() {
    images=$(for image in $4; do printf ' %s' "${boot%/}$image"; done)
    cat << ENTRY
menuentry '$2' --class alpine --class gnu-linux --class os --id PREFIX$1 {
    load_video
    insmod gzio
$place
    linux ${boot%/}$3 $5
    ${images:+initrd$images}
}
ENTRY
}

"""


def _files(_site: Site) -> tuple[str, ...]:
    return (TRIGGER, SCRIPT, SETTINGS)


def _said(files: BootTexts, _listing: Listing) -> Said:
    script, settings = files[SCRIPT], files[SETTINGS]
    slots = [slot for slot in _ENTRY.findall(script or "") if is_id(slot)]
    try:
        named = id_of(_value(settings or "") or "")
    except NotUnderstoodError:
        named = None
    if named is None:
        rest = block.lines_in(TRIGGER, files[TRIGGER], TRIGGER_OWN)
        rest += block.lines_in(SETTINGS, settings, GRUB_OWN)
        return Said(None, frozenset(slots), script is None and not rest)
    is_off = block.is_written(TRIGGER, files[TRIGGER], TRIGGER_BODY, TRIGGER_OWN)
    lines = [f"{DEFAULT_VARIABLE}={label_of(named)}"]
    whole = named in slots and is_off and block.is_written(SETTINGS, settings, lines, GRUB_OWN)
    # GRUB takes the first entry where there is none that is called as its default.
    default = named if named in slots else next(iter(slots), None)
    return Said(default, frozenset(slots), whole)


def _value(text: str) -> str | None:
    span = assigned(SETTINGS, text, DEFAULT_VARIABLE)
    return None if span is None else value_of(text, span)


def _written(
    _site: Site, files: BootTexts, wanted: WantedSlots, listing: Listing
) -> dict[str, str | None]:
    settings = files[SETTINGS]
    if wanted.first is not None:
        line = f"{DEFAULT_VARIABLE}={wanted.first.label}"
        return {
            TRIGGER: block.with_lines(TRIGGER, files[TRIGGER], TRIGGER_BODY, TRIGGER_OWN),
            SCRIPT: _script(wanted),
            SETTINGS: block.with_lines(SETTINGS, settings, [line], GRUB_OWN),
        }
    return {
        SETTINGS: _given_back(files, wanted, listing),
        SCRIPT: None,
        TRIGGER: block.without(TRIGGER, files[TRIGGER], TRIGGER_OWN),
    }


def _script(wanted: WantedSlots) -> str:
    head = _TEMPLATE.replace("PREFIX", LABEL_PREFIX).replace("BOOT)", f"{_BOOT})")
    return head + "".join(map(_call, wanted.ordered))


def _call(entry: SlotEntry) -> str:
    kernel, *images = (path[len(_BOOT) :] for path in (entry.kernel, *entry.initramfs))
    words = (entry.id, entry.title, kernel, " ".join(images), entry.boots_with)
    quoted = " ".join(f"'{word}'" for word in words)
    return f"slot {quoted}\n"


def _given_back(files: BootTexts, wanted: WantedSlots, listing: Listing) -> str | None:
    """The settings as they were, but for a default that is known to be of another flavour."""
    base = block.without(SETTINGS, files[SETTINGS], GRUB_OWN)
    now = _apks(files, listing, None)
    found = of_apk(listing, wanted.flavour)
    if wanted.flavour is None or not now or not found or is_of(now, wanted.flavour):
        return base
    return with_value(
        base or "", assigned_or_new(SETTINGS, base or "", DEFAULT_VARIABLE), found[0].name
    )


def _apks(files: BootTexts, listing: Listing, flavour: str | None) -> Entry | None:
    """By a number only where that is the first: not all entries with numbers are known here."""
    found = of_apk(listing, flavour)
    try:
        value = _value(block.without(SETTINGS, files[SETTINGS], GRUB_OWN) or "")
    except NotUnderstoodError:
        return None if flavour is None else next(iter(found), None)
    if flavour is not None or value in (None, "", "0"):
        return next(iter(found), None)
    return next((each for each in found if value in (each.name, each.title)), None)


def _named(site: Site, path: str) -> str:
    return site.from_root(path)


OF_GRUB = Kind(
    _files,
    _said,
    _written,
    _apks,
    _named,
    also=(SCRIPTS,),
    of_menu=lambda site: (block_of(site.menu),),
    modes={SCRIPT: 0o755},
    forbidden=FORBIDDEN,
)

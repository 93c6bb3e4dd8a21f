# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The entry that settings are for: a slot has the command line that it was made with, and keeps it."""

from __future__ import annotations

from ..._bootloader.loader import Entry
from ..._host.mounts import mount_of
from ..._host.port import Host
from ..._write.files import text_or_refuse
from .. import menu
from ..editors import Settings
from .entry import id_of
from .kind import Site, of_apk
from .kinds import kind_of


def entry(host: Host, settings: Settings, text: str | None) -> Entry | str:
    """The default entry of a menu that is none of a slot, or why there is none."""
    default = menu.default_entry(host, settings, text)
    if isinstance(default, str) or id_of(default.name) is None:
        return default
    kind, path = kind_of(settings), settings.menu or settings.files[0]
    files = {
        each: text_or_refuse(host, each) for each in kind.files(Site(path, mount_of(host, path)))
    }
    listing = menu.listed(host, settings, text)
    # All have the same settings, so that any of them shows what became of those.
    found = kind.apks(files, listing, None) or next(iter(of_apk(listing)), None)
    return found or "it has no entry but those of slots"

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""All files of a boot loader that have to do with slots, read once."""

from __future__ import annotations

import os
import stat
import typing as t
from dataclasses import dataclass, replace

from ..._bootloader.listing import Listing
from ..._bootloader.loader import NotUnderstoodError
from ..._bootloader.loaders.extlinux import is_syslinux
from ..._host.mounts import mount_of
from ..._host.port import Host
from ..._write.boot_file import own_names
from ..._write.files import text_or_refuse
from .. import editors, menu
from ..change import not_understood
from ..editors import Settings
from .entry import id_of, named_in
from .kind import BootTexts, Kind, Site
from .kinds import kind_of

# How tools call the menu that they are to write, and the one before.
_OF_TOOLS = (".new", ".old", ".backup")


@dataclass(frozen=True)
class Menued:
    """A boot loader's files as they are, and what its menu offers."""

    settings: Settings
    kind: Kind
    site: Site
    files: BootTexts
    listing: Listing
    # BootTexts of ours that have another mode than they need.
    wrong_modes: frozenset[str] = frozenset()

    @property
    def listed(self) -> frozenset[str]:
        """The slots of the menu."""
        return frozenset(filter(None, (id_of(each.name) for each in self.listing.entries)))


def see(host: Host) -> Menued:
    """Read them, or refuse a boot loader that boots no slots."""
    try:
        found = editors.choose(host, "auto")
    except NotUnderstoodError as problem:
        raise not_understood("auto", problem) from problem
    kind = kind_of(found)
    path = found.menu or found.files[0]
    site = Site(path, mount_of(host, path), is_syslinux(host, path))
    settings = replace(found, files=kind.files(site))
    files = {each: text_or_refuse(host, each) for each in settings.files}
    wrong = (each for each, mode in kind.modes.items() if _mode(host, each) not in (None, mode))
    listing = menu.listed(host, settings, host.text(path))
    return Menued(settings, kind, site, files, listing, frozenset(wrong))


def _mode(host: Host, path: str) -> int | None:
    try:
        return stat.S_IMODE(os.stat(host.real(path)).st_mode)
    except OSError:
        return None


def named(host: Host, seen: Menued) -> frozenset[str]:
    """Every slot of which a file speaks that is a menu, or of which the next one is made."""
    site, kind = seen.site, seen.kind
    others = (f"{directory}/{name}" for directory in kind.also for name in host.names(directory))
    return _named_by(host, (*seen.settings.files, site.menu, *kind.of_menu(site), *others))


def named_before(host: Host, seen: Menued) -> frozenset[str]:
    """Those of which only a file speaks that was a menu, or was to become one."""
    menu_path = seen.site.menu
    left = [name for path in (*seen.settings.files, menu_path) for name in own_names(path)]
    copies = (f"{menu_path}{suffix}" for suffix in _OF_TOOLS)
    return _named_by(host, (*left, *copies, *seen.settings.generated)) - named(host, seen)


def _named_by(host: Host, paths: t.Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(named_in(host.text(path) or "") for path in paths))

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What there is to know of a boot loader that boots slots: its files, and what they say and get."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from ..._bootloader.listing import Listing
from ..._bootloader.loader import Entry
from ..._host.mounts import Mount
from ..._host.port import Host
from ..._reasons import ReasonError, reason
from .entry import WantedSlots, id_of

# None where a file is not there.
BootTexts = t.Mapping[str, t.Optional[str]]


@dataclass(frozen=True)
class Site:
    """Where the menu is, as the boot loader and the running host see it."""

    menu: str
    # What the menu is on, and the slots' files.
    mount: Mount = field(default_factory=lambda: Mount(""))
    # Whether a menu is read as the syslinux family reads it.
    syslinux: bool = True

    def beside(self, path: str) -> str:
        """A file by its way from the menu."""
        return os.path.relpath(path, os.path.dirname(self.menu))

    def from_root(self, path: str) -> str:
        """A file by its way from the root of its file system."""
        return self.mount.top + "/" + os.path.relpath(path, self.mount.point or "/")


@dataclass(frozen=True)
class Said:
    """What the files of ours say together, but for the menu that is made of them."""

    # What the next menu that is made of them boots, None if it is none of ours.
    default: str | None = None
    entries: frozenset[str] = frozenset()
    # Each of the files says its part.
    whole: bool = True


@dataclass(frozen=True)
class Kind:
    """How slots are written down for one boot loader."""

    # The files that are edited, by where the menu is.
    files: t.Callable[[Site], tuple[str, ...]]
    said: t.Callable[[BootTexts, Listing], Said]
    # The files as they are to be, in the order in which they are written: a power cut between two
    # of them leaves files of which a command of the host makes the old or the new default.
    written: t.Callable[[Site, BootTexts, WantedSlots, Listing], dict[str, str | None]]
    # The entry that the files make the default where none of ours is, of one flavour or of any.
    apks: t.Callable[[BootTexts, Listing, str | None], Entry | None]
    # How the menu names a file.
    named: t.Callable[[Site, str], str]
    # Other files, and directories of such, that may speak of slots.
    also: tuple[str, ...] = ()
    # What the boot loader itself may have written of them, by where the menu is.
    of_menu: t.Callable[[Site], tuple[str, ...]] = lambda _site: ()
    modes: t.Mapping[str, int] = field(default_factory=dict)
    # Characters of a command line that the loader would not hand on as they are.
    forbidden: str = ""
    # Refuses a host on which the loader would boot no slot, before one is written down.
    refuse: t.Callable[[Host], None] = lambda _host: None


def menu_alone(site: Site) -> tuple[str, ...]:
    """The files of a boot loader whose menu nothing makes anew."""
    return (site.menu,)


def said_by_menu(listing: Listing) -> Said:
    """What such a menu says, which cannot be something else than itself."""
    default = listing.default
    slots = frozenset(filter(None, (id_of(each.name) for each in listing.entries)))
    return Said(id_of(default.name) if isinstance(default, Entry) else None, slots)


def of_apk(listing: Listing, flavour: str | None = None) -> list[Entry]:
    """The entries that are not ours, those of a flavour's kernel if one is named."""
    others = [each for each in listing.entries if id_of(each.name) is None]
    return [each for each in others if flavour is None or is_of(each, flavour)]


def is_of(entry: Entry, flavour: str) -> bool:
    """Whether an entry boots the kernel that apk installs for a flavour."""
    return os.path.basename(entry.kernel or "") == f"vmlinuz-{flavour}"


def unsupported(what: str, missing: str) -> ReasonError:
    return ReasonError(
        reason(
            "slots_unsupported",
            f"Slots cannot be had with {what}: {missing}.",
            "Nothing was changed. Boot the host by extlinux, GRUB, limine, or U-Boot with an "
            "extlinux.conf, or upgrade its kernel without slots.",
        )
    )

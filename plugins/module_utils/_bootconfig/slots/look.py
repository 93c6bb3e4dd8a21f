# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Which slots a boot loader's files name, and which one of them boots by default."""

from __future__ import annotations

from dataclasses import dataclass

from ..._bootloader.loader import Entry
from ..._host.port import Host
from ..._reasons import ReasonError
from . import next_boot, see
from .entry import id_of
from .kind import Said
from .see import Menued


@dataclass(frozen=True)
class Menus:
    """What the boot loader's files say of slots."""

    loader: str
    # The slot that firmware boots by the menu as it is now, None where it boots none of ours.
    default: str | None = None
    # Why that cannot be told, None where it can: the default is then None, and may be any.
    unclear: str | None = None
    # Every slot that any of the files names, backups and drafts of menus included: one of them may
    # become what boots without our doing, so that none of these may be deleted.
    named: frozenset[str] = frozenset()
    # Those of them that only backups and drafts name: with the last slot they may go, too.
    before: frozenset[str] = frozenset()
    # The slot that the settings make the default of the next menu.
    configured: str | None = None
    # Settings, entries and menu say the same. They do not after a power cut between two of them.
    agrees: bool = True
    # The entry that would boot were there none of ours, of the flavour that was asked for.
    apks: Entry | None = None
    # The slot that boots once, at the next boot through firmware.
    once: str | None = None

    @property
    def good(self) -> str | None:
        """What firmware boots, or will once the menu is made anew."""
        return self.default if self.agrees else self.configured or self.default


def look(host: Host, flavour: str | None = None) -> Menus:
    """Read all of it; nothing is written. ReasonError where there is no such boot loader."""
    seen = see.see(host)
    default = seen.listing.default
    unclear = default if isinstance(default, str) else None
    slot = id_of(default.name) if isinstance(default, Entry) else None
    said = _said(seen)
    same = (said.default, said.entries) == (slot, seen.listed)
    try:
        apks = seen.kind.apks(seen.files, seen.listing, flavour)
    except ReasonError:
        apks = None
    before = see.named_before(host, seen)
    once = next_boot.pending(host, seen)
    return Menus(
        loader=seen.settings.loader,
        default=slot,
        unclear=unclear,
        named=see.named(host, seen) | before | frozenset(filter(None, [once])),
        before=before,
        configured=said.default,
        agrees=said.whole and same and unclear is None and not seen.wrong_modes,
        apks=apks,
        once=once,
    )


def _said(seen: Menued) -> Said:
    """What the files say; of lines of which nobody knows whose they are, nothing is known."""
    try:
        return seen.kind.said(seen.files, seen.listing)
    except ReasonError:
        return Said(whole=False)

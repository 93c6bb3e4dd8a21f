# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The default slot: in the boot loader's files first, and then in the note for the host's services."""

from __future__ import annotations

import typing as t

from .._bootconfig.slots import ensure as menus
from .._bootconfig.slots import good, see
from .._bootconfig.slots.entry import SlotEntry
from .._host.port import Host


def ensure(
    host: Host,
    entries: t.Sequence[SlotEntry],
    default: str | None,
    *,
    check_mode: bool,
    flavour: str | None = None,
) -> dict[str, t.Any]:
    """Have these entries and this default in the menu, and the note say so of that very menu.

    A menu that somebody else has made anew meanwhile has another content, so that the note is
    written again though the menu is right.
    """
    result = menus.ensure(host, entries, default, check_mode=check_mode, flavour=flavour)
    entry = next((each for each in entries if each.id == default), None)
    menu = see.see(host).site.menu
    noted = good.ensure(host, entry, menu, check_mode=check_mode)
    return {**result, "changed": result["changed"] or noted}

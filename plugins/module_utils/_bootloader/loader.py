# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What there is to know of a boot loader: its name, where it looks, how its menu is read."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._host.port import Host
from .entry import Entry
from .text import Finder

# Files in the order in which a boot loader looks for them: it takes the first that is there.
Order = tuple[str, ...]


@dataclass(frozen=True)
class Loader:
    """A boot loader whose menu can be read, and edited where it has command lines itself."""

    name: str
    # Several orders are for several ways to install it, and the host does not tell which one it is.
    places: t.Callable[[Host], t.Iterable[Order]]
    # Takes the path and the text of a menu.
    read: t.Callable[[Host, str, str], Entry]
    lines: t.Callable[[Host], Finder] | None = None
    # The upper digit of what the kernel reports as its boot loader, on x86.
    type_ids: frozenset[int] = frozenset()
    # Characters that it would not hand on as they are.
    forbidden: str = ""

    def menus(self, host: Host) -> tuple[str, ...]:
        """The files that it may read at boot, one if that is certain."""
        found = (
            next((path for path in order if host.exists(path)), None) for order in self.places(host)
        )
        return tuple(dict.fromkeys(path for path in found if path is not None))


def always(*paths: str) -> t.Callable[[Host], t.Iterable[Order]]:
    """Each of these may be the one."""
    return lambda _host: [(path,) for path in paths]

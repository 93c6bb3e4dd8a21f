# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of different machines run side by side, and those of one machine one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest


def spread(items: Iterable[pytest.Item], machine_of: Callable[[pytest.Item], str]) -> None:
    """Put each test into the group of its machine; a worker runs a group in its order."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(machine_of(item)))


def by_fixture(machines: dict[str, str]) -> Callable[[pytest.Item], str]:
    """Tell the machine of a test by the fixture that it uses; just one must lead to it."""

    def machine_of(item: pytest.Item) -> str:
        names = getattr(item, "fixturenames", ())
        found = {machines[name] for name in names if name in machines}
        if len(found) != 1:
            raise LookupError(f"{item.nodeid} uses {len(found)} machines: {sorted(found)}")
        return found.pop()

    return machine_of

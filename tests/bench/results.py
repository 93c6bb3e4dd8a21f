# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a part of the benchmark found: raw figures, tables of them, and whether they suffice."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# In a cell of a table.
NOTHING = "-"


@dataclass(frozen=True)
class Acceptance:
    """One promise and what was found; None where nothing could be measured."""

    name: str
    found: float | None
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.found is not None and self.found <= self.limit

    def as_dict(self) -> dict[str, t.Any]:
        found = None if self.found is None else round(self.found, 3)
        return {
            "name": self.name,
            "found": found,
            "limit": round(self.limit, 3),
            "unit": self.unit,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Table:
    """Rows for a reader; every cell is a text already."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class PartResult:
    """One part of the benchmark."""

    name: str
    raw: Mapping[str, t.Any]
    tables: Sequence[Table]
    acceptances: Sequence[Acceptance] = field(default_factory=tuple)

    @property
    def holds(self) -> bool:
        return all(acceptance.holds for acceptance in self.acceptances)


def seconds(value: float | None, digits: int = 2) -> str:
    """Return a time for a table."""
    return NOTHING if value is None else f"{value:.{digits}f} s"

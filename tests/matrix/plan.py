# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests run with which ansible-core and Python, and what cannot run here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .pythons import Python
from .table import Core, Table, number

Kind = t.Literal["core", "host"]
Part = t.Literal["units", "scripted", "modules"]
PARTS: t.Mapping[Kind, tuple[Part, ...]] = {"core": ("units", "scripted"), "host": ("modules",)}


@dataclass(frozen=True)
class Row:
    """A controller with its ansible-core, or the Python of a host; without one it cannot run."""

    kind: Kind
    name: str
    # On a host, whose modules' code it is.
    core: Core
    wanted: tuple[str, ...]
    python: Python | None
    # The first one is what the README tells of this row; none where it tells nothing.
    told: str | None

    @property
    def parts(self) -> tuple[Part, ...]:
        return PARTS[self.kind]

    @property
    def note(self) -> str:
        """In what the row is not what the README says."""
        if self.python is None:
            *others, last = self.wanted
            named = f"{', '.join(others)} or {last}" if others else last
            return f"not found: this machine has no Python {named} that makes environments"
        if self.python.version == self.told:
            return ""
        said = "no word of it" if self.told is None else f"Python {self.told}"
        return f"the README has {said}"


def plan(table: Table, found: t.Mapping[str, Python]) -> list[Row]:
    """Return all rows: one a core, and one a Python of hosts, also of those not found."""
    return [*(_core_row(core, found) for core in table.cores), *_host_rows(table, found)]


def _core_row(core: Core, found: t.Mapping[str, Python]) -> Row:
    python = next((found[each] for each in core.pythons if each in found), None)
    return Row("core", f"core-{core.version}", core, core.pythons, python, core.pythons[0])


def _host_rows(table: Table, found: t.Mapping[str, Python]) -> t.Iterator[Row]:
    oldest = min(map(number, table.host_pythons))
    later = {version for version in found if number(version) >= oldest}
    for version in sorted(later | set(table.host_pythons), key=number):
        told = version if version in table.host_pythons else None
        python = found.get(version)
        yield Row("host", f"host-{version}", table.cores[0], (version,), python, told)


def chosen(rows: t.Sequence[Row], names: t.Collection[str]) -> list[Row]:
    """Return the rows of these names, or all of them; a name that no row has is an error."""
    unknown = sorted(set(names) - {row.name for row in rows})
    if unknown:
        known = ", ".join(row.name for row in rows)
        raise LookupError(f"there is no {', '.join(unknown)}; there are {known}")
    return [row for row in rows if not names or row.name in names]


def complaint(rows: t.Sequence[Row]) -> str | None:
    """Return why a whole plan proves too little to be a matrix, None if it does not."""
    first, *others = (row for row in rows if row.kind == "core")
    if any(row.python is not None for row in others):
        return None
    versions = ", ".join(row.core.version for row in others)
    found = "no ansible-core" if first.python is None else f"only ansible-core {first.core.version}"
    return f"{found} can be tested here: install a Python for one of {versions}"

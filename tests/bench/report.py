# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report: JSON for programs, Markdown for a terminal, reStructuredText for the guide."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .results import NOTHING, Acceptance, PartResult, Table

BEGIN = ".. The rest is written by: ./test bench -- --publish"
HEADING = "What must hold"


def as_json(machine: Mapping[str, t.Any], parts: Sequence[PartResult]) -> str:
    """Return everything that was found."""
    document = {
        "machine": machine,
        "parts": {
            part.name: {
                "holds": part.holds,
                "acceptances": [acceptance.as_dict() for acceptance in part.acceptances],
                "raw": part.raw,
            }
            for part in parts
        },
        "holds": all(part.holds for part in parts),
    }
    return json.dumps(document, indent=2) + "\n"


def acceptance_table(parts: Sequence[PartResult]) -> Table:
    """Return each promise with what was found."""
    return Table(
        HEADING,
        ("Part", "What", "Found", "At most", "Holds"),
        [
            (part.name, each.name, _value(each.found, each), _value(each.limit, each), _word(each))
            for part in parts
            for each in part.acceptances
        ],
    )


def _value(value: float | None, acceptance: Acceptance) -> str:
    return NOTHING if value is None else f"{value:.2f} {acceptance.unit}".strip()


def _word(acceptance: Acceptance) -> str:
    return "yes" if acceptance.holds else "NO"


def machine_table(machine: Mapping[str, t.Any]) -> Table:
    """Return where it was measured."""
    rows = [(str(name), str(value)) for name, value in machine.items()]
    return Table("Where this was measured", ("What", "Value"), rows)


def tables(machine: Mapping[str, t.Any], parts: Sequence[PartResult]) -> list[Table]:
    """Return all tables in the order in which they are read."""
    found = [table for part in parts for table in part.tables]
    return [acceptance_table(parts), *found, machine_table(machine)]


def as_markdown(shown: Sequence[Table]) -> str:
    """Return the tables in Markdown."""
    return "\n".join(line for table in shown for line in _markdown(table))


def _markdown(table: Table) -> Iterator[str]:
    yield from (f"## {table.title}", "")
    yield _row(table.columns)
    yield _row(["---"] * len(table.columns))
    yield from map(_row, table.rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_rst(shown: Sequence[Table]) -> str:
    """Return the tables in reStructuredText."""
    return "\n".join(line for table in shown for line in _rst(table))


def _rst(table: Table) -> Iterator[str]:
    yield from (table.title, "-" * len(table.title), "")
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in (table.columns, *table.rows):
        for number, cell in enumerate(row):
            yield f"   {' ' if number else '*'} - {cell}"
    yield ""


def publish(guide: str, generated: str) -> str:
    """Return a guide with its generated end replaced; what a person wrote stays."""
    written, mark, _old = guide.partition(BEGIN)
    if not mark:
        raise ValueError(f"the guide has no line {BEGIN!r}")
    return f"{written}{mark}\n\n{generated.rstrip()}\n"

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the hosts of a play remember of earlier runs, for people and for programs."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._parsing.values import FormError, parse
from .._text.table import EMPTY_CELL, TEXT_LIMIT, aligned, one_line
from .campaign import Campaign

# Raised when a key changes its meaning or goes away, not when one is added.
REMEMBERED_VERSION = 1

Remembers = t.Literal["nothing", "something", "no_answer"]
REMEMBERS: tuple[Remembers, ...] = t.get_args(Remembers)

REMEMBERED_COLUMNS = ("HOST", "REMEMBERS", "PROGRESS", "DRAINED", "UNHEALTHY", "RUN ID")


@dataclass(frozen=True)
class HostMemory:
    """One host."""

    host: str
    remembers: Remembers
    progress: str | None = None
    drained: tuple[str, ...] = ()
    unhealthy: tuple[str, ...] = ()
    run_id: str | None = None


@dataclass(frozen=True)
class LeftRun:
    """What a host remembers of one, as the step "recall" tells it."""

    run_id: str
    progress: str
    drained: tuple[str, ...]
    unhealthy: tuple[str, ...]


@dataclass(frozen=True)
class Recalled:
    """What that step has told."""

    remembered: LeftRun | None


def rows(campaign: Campaign) -> list[HostMemory]:
    """The hosts in their order, with what that step told of each."""
    return [_row(host, campaign.results.get(host)) for host in campaign.hosts]


def _row(host: str, told: object) -> HostMemory:
    try:
        found = parse(Recalled, told).remembered
    except FormError:
        return HostMemory(host, "no_answer")
    return (
        HostMemory(host, "nothing")
        if found is None
        else HostMemory(host, "something", **vars(found))
    )


def as_dict(found: t.Sequence[HostMemory]) -> dict[str, t.Any]:
    return {
        "version": REMEMBERED_VERSION,
        "summary": {"hosts": len(found), **_counts(found)},
        "hosts": [asdict(row) for row in found],
    }


def _counts(found: t.Sequence[HostMemory]) -> dict[str, int]:
    kinds = [row.remembers for row in found]
    return {kind: kinds.count(kind) for kind in REMEMBERS}


def table(found: t.Sequence[HostMemory]) -> list[str]:
    """The hosts of which there is something to say, and how many there are of each kind."""
    shown = [row for row in found if row.remembers != "nothing"]
    counts = ", ".join(f"{kind} {number}" for kind, number in _counts(found).items())
    return [
        *aligned([REMEMBERED_COLUMNS, *map(_cells, shown)]),
        "",
        f"hosts {len(found)}: {counts}",
    ]


def _cells(row: HostMemory) -> tuple[str, ...]:
    return (
        row.host,
        row.remembers,
        row.progress or EMPTY_CELL,
        ", ".join(row.drained) or EMPTY_CELL,
        one_line(", ".join(row.unhealthy), TEXT_LIMIT) or EMPTY_CELL,
        row.run_id or EMPTY_CELL,
    )

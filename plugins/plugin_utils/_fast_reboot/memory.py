# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a host remembers of the role, from one run to the next: as it is written and read.

A host that somebody else controls can say whatever it likes of itself. So nothing that it remembers
becomes a name of a file or a command, and what is not plain is not there.
"""

from __future__ import annotations

import itertools
import json
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable

# Where it is, for whoever has to remove it by hand.
PLACE = notes.UNFINISHED

# How far the run was that left a note; one that ended does not know what became of the host.
Progress = t.Literal["begun", "drain", "down", "ended", "unhealthy", "undrain"]
PROGRESS: tuple[str, ...] = t.get_args(Progress)

_HEAD = re.compile(r"([0-9a-f]{32}) ?([a-z]*)")
# The rest of a note is not looked at, whoever wrote it.
LINES = 200
# The host keeps and tells this many bytes of a note, the name of the run with them.
BYTES = 16384
# How much of that the names of hooks may take, so that an order and the services stay in it.
HOOKS_BYTES, HOOKS_LINES = BYTES // 2, LINES // 2
# Beside these an order has room, with its services as long as it is no longer than this.
ORDER_BYTES = BYTES * 3 // 8
# Whole numbers up to here are the same everywhere.
LARGEST = 2**53
# How many findings a note has, and how much of each.
FINDINGS, FINDING = 20, 200


# What an order has, whoever says so.
Plain = str | int | bool | list[str] | None


@dataclass(frozen=True)
class Memory:
    """What a run left on a host."""

    run_id: str
    progress: Progress
    # The hooks that had drained the host, or were about to.
    drained: tuple[str, ...] = ()
    # What was wrong with it.
    findings: tuple[str, ...] = ()
    # What was ordered, as kexec_reboot hands it over.
    order: t.Mapping[str, Plain] | None = None
    # What ran before the first reboot that was not seen to end well.
    services: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The services that must run again."""
        ordered = (self.order or {}).get("services")
        ordered = ordered if isinstance(ordered, list) else []
        return tuple(dict.fromkeys((*self.services, *ordered)))

    def without_order(self) -> Memory:
        """Nothing comes of the order any more; what ran before it must run again all the same."""
        return replace(self, order=None, services=self.required)

    def as_text(self) -> str:
        """Behind the name of the run; what the next one cannot do without comes first.

        A line is in it as a whole, or not at all.
        """
        lines: list[str] = [self.progress, *map(_drained_line, self.drained)]
        lines += _ordered_lines(self.order)
        lines += [f"service {json.dumps(name)}" for name in self.services]
        lines += [f"finding {json.dumps(text[:FINDING])}" for text in self.findings[:FINDINGS]]
        sizes = itertools.accumulate(len(line.encode()) + 1 for line in lines)
        fits = (size <= BYTES - len(self.run_id) - 1 for size in sizes)
        return "\n".join(itertools.islice(itertools.compress(lines, fits), LINES))


def _drained_line(name: str) -> str:
    return f"drained {json.dumps(name)}"


def _ordered_lines(order: t.Mapping[str, Plain] | None) -> list[str]:
    """The order in one line; services that have no room in it have lines of their own."""
    if order is None:
        return []
    services = order.get("services")
    if not isinstance(services, list):
        return [f"order {json.dumps(order)}"]
    left = ORDER_BYTES - len(json.dumps({**order, "services": []}).encode())
    sizes = itertools.accumulate(len(json.dumps(name).encode()) + 2 for name in services)
    fitting = sum(size <= left for size in sizes)
    apart = [f"service {json.dumps(name)}" for name in services[fitting:]]
    return [f"order {json.dumps({**order, 'services': services[:fitting]})}", *apart]


def hooks_that_fit(names: t.Sequence[str]) -> int:
    """How many of some hooks, by their names and in their order, a host can remember at most."""
    sizes = itertools.accumulate(len(_drained_line(name).encode()) + 1 for name in names)
    return min(HOOKS_LINES, sum(size <= HOOKS_BYTES for size in sizes))


def parse(text: str) -> Memory | None:
    """What a host remembers; None if that is nothing, or nothing of the role's."""
    head, *lines = text.strip("\n").split("\n")[:LINES]
    match = _HEAD.fullmatch(head.strip())
    if match is None:
        return None
    progress = t.cast("Progress", match[2] if match[2] in PROGRESS else "begun")
    found: dict[str, list[object]] = {"drained": [], "finding": [], "order": [], "service": []}
    for line in lines:
        kind, _space, value = line.partition(" ")
        if kind in found:
            found[kind] += _values(value)
    return Memory(
        match[1],
        progress,
        drained=tuple(_texts(found["drained"])),
        findings=tuple(_texts(found["finding"])),
        order=next((each for each in found["order"] if _is_plain(each)), None),
        services=tuple(_texts(found["service"])),
    )


def _values(text: str) -> list[object]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _texts(values: t.Iterable[object]) -> t.Iterator[str]:
    for value in dict.fromkeys(each for each in values if isinstance(each, str)):
        yield printable(value)


def _is_plain(order: object) -> t.TypeGuard[dict[str, Plain]]:
    """Whether it has what an order can have; a number without end, or lists in lists, are none."""
    return isinstance(order, dict) and all(
        isinstance(value, (str, type(None)))
        or (isinstance(value, int) and abs(value) < LARGEST)
        or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        for value in order.values()
    )

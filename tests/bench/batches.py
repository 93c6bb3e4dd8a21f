# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: what the brake before a batch and the table behind it cost, by the hosts of the play."""

from __future__ import annotations

import json
import statistics
import tempfile
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import contenders, figures, fleet, play
from .errors import BenchError
from .play import Play, Tasks
from .results import Acceptance, PartResult, Table, seconds

BRAKE, TABLE = "Brake", "Table"
STEP = "alpinefleet.kexec.fleet_step"
# So many batches of one host, behind a first one of half of the hosts, are the middle of a play.
REPEATED = 5
# They ask no host.
STEPS: Sequence[contenders.Task] = (
    {
        "name": BRAKE,
        STEP: {"step": "brake", "error_budget": 0},
        "run_once": True,
        "register": "__fast_reboot_braked",
    },
    {"name": TABLE, STEP: {"step": "report", "of_role": "fast_reboot"}, "run_once": True},
)
# What the role has left on a host that is done.
RESULT = "fast_reboot_result"
DONE: Mapping[str, t.Any] = {
    "changed": True,
    "done": True,
    "rebooted": True,
    "method": "kexec",
    "boot_id": {"before": "3b2d1f60", "after": "c0ffee00"},
    "release": {"before": "6.18.38-0-virt", "after": "6.18.56-0-virt"},
    "downtime": 5.5,
    "elapsed": 9.1,
    "drained": [],
    "unhealthy": [],
    "reasons": [],
    "reason": None,
}
# In the middle of a play no table is due.
SAYS = ["There are hosts left, and nothing new is wrong."]
TIMEOUT = 600.0
# Of the downtime of the one host of a batch, what both may take beside it.
SHARE = 0.05


@dataclass(frozen=True)
class Measured:
    """How long the steps take in a play of so many hosts: for a batch in its middle, and for the others.

    Those are the first one, before which all hosts are looked at, and the last, with the table of all.
    """

    hosts: int
    brake: float
    table: float
    ends: float

    @property
    def batch(self) -> float:
        return self.brake + self.table

    @property
    def whole(self) -> float:
        """Of the whole play, where each host is a batch of its own."""
        return self.ends + self.hosts * self.batch


def run(quick: bool, say: Callable[[str], None]) -> PartResult:
    """Measure the two steps in plays of each size."""
    found = []
    for size in fleet.SIZES[: 1 if quick else None]:
        found.append(measure(size))
        say(f"batches: {size} hosts: {seconds(found[-1].batch)} a batch")
    return PartResult(
        "batches", {"measured": [vars(each) for each in found]}, [table(found)], accept(found)
    )


def measure(size: int) -> Measured:
    """Run the steps in the batches of a play of hosts that need not be there."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-batches-") as name:
        inventory = Path(name, "inventory.json")
        inventory.write_text(json.dumps({"all": {"hosts": dict(_hosts(size))}}), encoding="utf-8")
        done = play.run(
            Tasks(STEPS, serial=[size // 2, *[1] * REPEATED, "100%"]),
            inventory,
            forks=1,
            environment={},
            timeout=TIMEOUT,
        )
    _check(size, done)
    brakes, tables = (_took(done, step) for step in (BRAKE, TABLE))
    return Measured(
        size,
        brake=statistics.median(brakes[1:-1]),
        table=statistics.median(tables[1:-1]),
        ends=brakes[0] + tables[0] + brakes[-1] + tables[-1],
    )


def _hosts(size: int) -> Iterator[tuple[str, Mapping[str, t.Any]]]:
    for number in range(size):
        yield f"h{number}", {RESULT: DONE}


def _check(size: int, done: Play) -> None:
    """A brake that stops, or a table that is shown early, would be another step than what is measured."""
    told = [event.result.get("msg") for event in done.events if event.task == TABLE]
    if done.rc != 0 or told[:-1] != [SAYS] * (REPEATED + 1) or told[-1] == SAYS:
        raise BenchError(f"batches: {size} hosts: {told[:1]}\n{done.output[-2000:]}")


def _took(done: Play, step: str) -> list[float]:
    return [event.ended - event.started for event in done.events if event.task == step]


def table(found: Sequence[Measured]) -> Table:
    """Return a row for each size."""
    return Table(
        "Before and after each batch, on the controller alone",
        ("Hosts of the play", "Brake", "Table", "Of the play, in batches of one host"),
        [
            (str(each.hosts), seconds(each.brake), seconds(each.table), seconds(each.whole, 0))
            for each in found
        ],
    )


def accept(found: Sequence[Measured]) -> list[Acceptance]:
    """Return what must hold in the largest of the plays, if it is there."""
    largest = max(fleet.SIZES)
    return [
        Acceptance(
            f"brake and table of a batch / {fleet.DOWNTIME:.0f} s of downtime, {largest} hosts",
            figures.ratio(each.batch, fleet.DOWNTIME),
            SHARE,
        )
        for each in found
        if each.hosts == largest
    ]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: how long a fleet takes, and what that costs the controller."""

from __future__ import annotations

import tempfile
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import contenders, figures, fleet_hosts, play
from .errors import BenchError
from .play import Playbook, Tasks
from .results import NOTHING, Acceptance, PartResult, Table, seconds

DOWNTIME = 20.0
LONGEST = 720.0
CONTENDERS: Mapping[str, Tasks | Playbook] = {
    "core": Tasks(contenders.CORE),
    "blocking": Tasks(contenders.OURS),
    "split": Tasks(contenders.SPLIT),
    "role": Tasks(contenders.ROLE),
    # All hosts at once, as the others.
    "playbook": contenders.playbook("100%"),
    "split with hooks": Tasks(contenders.SPLIT_HOOKED),
    "role with hooks": Tasks(contenders.HOOKED),
}
SIZES = (10, 100, 1000)
FORKS = (5, 50)
# Seconds of one host, for judging beforehand which combinations can be run in time: the way down
# and the downtime, and how long each contender takes to notice and to do the rest.
ALONE = {"core": 34.0, "blocking": 24.0}
# The controller's own time for the two tasks of a host that does not wait or is found back, and for
# those of the role and of its playbook, which go through one process however many forks there are.
OWN = {
    "split": 0.1,
    "role": 0.2,
    "playbook": 0.25,
    "split with hooks": 0.3,
    "role with hooks": 0.8,
}

SHARE_OF_CORE = 0.25
GROWTH = 1.2
# What one may cost beside another one that it is made of, in its time and in the processor's: the
# role beside its two tasks, with two hooks beside the same tasks and files, where it also keeps on
# the host what is drained, and its playbook, which asks each host what an earlier run has left.
AROUND = (
    ("role", "split", 1.2, 1.5),
    ("role with hooks", "split with hooks", 3.0, 3.0),
    ("playbook", "role", 1.3, 1.5),
)


@dataclass(frozen=True)
class Case:
    """One combination."""

    contender: str
    size: int
    forks: int

    @property
    def name(self) -> str:
        return f"{self.contender}, {self.size} hosts, {self.forks} forks"


@dataclass(frozen=True)
class Measured:
    """What a fleet took."""

    wall: float
    cpu: float
    main_cpu: float
    memory_mib: float


def prediction(case: Case) -> float:
    """Return about how long a combination takes."""
    if case.contender in OWN:
        return DOWNTIME + case.size * OWN[case.contender]
    return ALONE[case.contender] * -(-case.size // case.forks)


def cases(quick: bool) -> list[Case]:
    """Return what is compared; short ones first."""
    sizes, forks = ((10,), (5, 50)) if quick else (SIZES, FORKS)
    return [
        Case(name, size, count) for size in sizes for count in forks[::-1] for name in CONTENDERS
    ]


def fits(case: Case) -> bool:
    return prediction(case) <= LONGEST


def run(quick: bool, say: t.Callable[[str], None]) -> PartResult:
    """Measure every combination that can be run in time."""
    found: dict[Case, Measured | None] = {}
    for case in cases(quick):
        found[case] = measure(case) if fits(case) else None
        say(f"fleet: {case.name}: {_told(found[case])}")
    return PartResult("fleet", {"cases": list(_raw(found))}, [table(found)], accept(found))


def _told(measured: Measured | None) -> str:
    return "not run" if measured is None else f"{measured.wall:.0f} s"


def measure(case: Case) -> Measured:
    """Reboot a new fleet with one contender."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-fleet-") as name:
        fleet = fleet_hosts.Fleet(Path(name), case.size, DOWNTIME)
        with fleet_hosts.beacon(fleet) as port:
            done = play.run(
                CONTENDERS[case.contender],
                fleet.inventory,
                forks=case.forks,
                environment=fleet.environment(port),
                timeout=2 * LONGEST,
            )
        _check(case, fleet, done)
        return Measured(done.wall, done.cpu, done.main_cpu, done.memory / 1024)


def _check(case: Case, fleet: fleet_hosts.Fleet, done: play.Play) -> None:
    """A fleet that was not rebooted was not measured, either."""
    missing = [name for name, host in fleet.hosts().items() if not host.rebooted]
    unknown = fleet.unknown()
    if done.rc != 0 or missing or unknown:
        raise BenchError(
            f"{case.name}: exit status {done.rc}, {len(missing)} hosts not rebooted, "
            f"not understood: {unknown[:500]!r}\n{done.output[-2000:]}"
        )


def _raw(found: Mapping[Case, Measured | None]) -> Iterator[dict[str, t.Any]]:
    for case, measured in found.items():
        values = None if measured is None else {k: round(v, 2) for k, v in vars(measured).items()}
        yield {**vars(case), "measured": values}


def table(found: Mapping[Case, Measured | None]) -> Table:
    """Return a row for each combination."""
    return Table(
        f"A fleet of scripted hosts, each down for {DOWNTIME:.0f} s",
        ("Hosts", "Forks", "Who", "Wall time", "CPU per host", "Peak memory"),
        [
            (str(case.size), str(case.forks), case.contender, *_cells(case, measured))
            for case, measured in found.items()
        ],
    )


def _cells(case: Case, measured: Measured | None) -> tuple[str, str, str]:
    if measured is None:
        return "not run", NOTHING, NOTHING
    each = 1000 * measured.cpu / case.size
    return seconds(measured.wall, 0), f"{each:.0f} ms", f"{measured.memory_mib:.0f} MiB"


def accept(found: Mapping[Case, Measured | None]) -> list[Acceptance]:
    """Return the promises that the combinations at hand can tell of."""
    promises = [*_of_a_large_fleet(found), *_of_what_is_around(found)]
    return [Acceptance(what, figures.ratio(*pair), limit) for what, pair, limit in promises]


Promise = tuple[str, tuple[float, float], float]


def _of_a_large_fleet(found: Mapping[Case, Measured | None]) -> Iterator[Promise]:
    forks = max(FORKS)
    largest, smaller = max(SIZES), sorted(SIZES)[-2]
    core, split, role = (
        found.get(Case(name, largest, forks)) for name in ("core", "split", "role")
    )
    before = found.get(Case("split", smaller, forks))
    for name, each in (("split", split), ("role", role)):
        if core is not None and each is not None:
            what = f"{name} / core, wall time of {largest} hosts at {forks} forks"
            yield what, (each.wall, core.wall), SHARE_OF_CORE
    if split is not None and before is not None:
        what = f"split, CPU per host of {largest} hosts / of {smaller}"
        yield what, (split.cpu / largest, before.cpu / smaller), GROWTH


def _of_what_is_around(found: Mapping[Case, Measured | None]) -> Iterator[Promise]:
    forks, size = max(FORKS), sorted(SIZES)[-2]
    of = f"of {size} hosts at {forks} forks"
    for outer, inner, wall, cpu in AROUND:
        first, second = (found.get(Case(name, size, forks)) for name in (outer, inner))
        if first is not None and second is not None:
            yield f"{outer} / {inner}, wall time {of}", (first.wall, second.wall), wall
            yield f"{outer} / {inner}, CPU {of}", (first.cpu, second.cpu), cpu

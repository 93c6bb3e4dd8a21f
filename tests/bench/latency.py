# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: how long after the host answers again the task, or the role, is done."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tests.hosts import Hosts, Script

from . import contenders, figures, load, play
from .contenders import Task
from .errors import BenchError
from .results import NOTHING, Acceptance, PartResult, Table, seconds

DOWNTIMES = (3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 28.0, 35.0, 45.0, 60.0)
QUICK = (3.0, 6.0, 10.0)
# The host is cut off, as it is by a jump; or its services say goodbye, and then it boots.
SHUTDOWNS: Mapping[str, Script] = {
    "cut": Script(vanish="cut", shutdown=0.3),
    "orderly": Script(vanish="orderly", shutdown=3.0),
}
CONTENDERS: Mapping[str, Sequence[Task]] = {
    "core": contenders.CORE,
    "ours": contenders.OURS,
    # With its checks of what came up.
    "role": contenders.ROLE,
}
# Core asks every 13 s at the latest. What is not done so long after the host hangs.
PATIENCE = 60.0

MEAN, MAXIMUM, SHARE_OF_CORE = 0.5, 1.2, 0.15
# The checks of what came up are two modules on the host and a dozen tasks of the controller.
ROLE_MEAN = 1.5
# Above this the machine has no time to spare for what is measured.
BUSY = 0.5


@dataclass(frozen=True)
class Sample:
    """One reboot; no latency where the task hung and was given up."""

    contender: str
    shutdown: str
    downtime: float
    latency: float | None
    # How busy the machine was in the second before the host answered.
    busy: float
    message: str = ""


def run(quick: bool, say: Callable[[str], None]) -> PartResult:
    """Sweep the downtimes, for each way to go down and each contender."""
    samples: list[Sample] = []
    for shutdown, contender in product(SHUTDOWNS, CONTENDERS):
        found = sweep(contender, shutdown, QUICK if quick else DOWNTIMES)
        samples += found
        say(f"latency: {contender}, {shutdown}: {_told(found)}")
    raw = {"samples": [vars(sample) for sample in samples]}
    return PartResult("latency", raw, [table(samples), summary_table(samples)], accept(samples))


def _told(samples: Sequence[Sample]) -> str:
    return ", ".join(f"{each.downtime:g}: {seconds(each.latency)}" for each in samples)


def sweep(contender: str, shutdown: str, downtimes: Sequence[float]) -> list[Sample]:
    """Reboot a host for each downtime, all in one play."""
    with Hosts() as hosts, load.watched() as busy:
        made = {}
        for number, downtime in enumerate(downtimes):
            script = SHUTDOWNS[shutdown]
            made[f"h{number}"] = hosts.add(f"h{number}", _with_downtime(script, downtime))
        done = play.run(
            contenders.bounded(CONTENDERS[contender], max(downtimes) + PATIENCE),
            hosts.inventory(),
            forks=len(downtimes),
            environment={"ANSIBLE_PIPELINING": "True"},
            timeout=max(downtimes) + 3 * PATIENCE,
            # A role has many tasks, and no host is to wait in them for another one.
            strategy="free",
        )
        events = done.last()
        if set(events) != set(made) and not done.events:
            raise BenchError(f"latency: {contender}, {shutdown}: {done.output[-2000:]}")
        return [
            _sample(contender, shutdown, host.script.downtime, events.get(name), host, busy)
            for name, host in made.items()
        ]


def _with_downtime(script: Script, downtime: float) -> Script:
    return Script(vanish=script.vanish, shutdown=script.shutdown, downtime=downtime)


class _Answering(t.Protocol):
    @property
    def answered_at(self) -> float: ...


def _sample(
    contender: str,
    shutdown: str,
    downtime: float,
    event: play.Event | None,
    host: _Answering,
    busy: load.Load,
) -> Sample:
    if event is None or event.status != "ok":
        message = "no result" if event is None else str(event.result.get("msg"))
        return Sample(contender, shutdown, downtime, None, 0.0, message)
    share = busy.share(host.answered_at - 1.0, host.answered_at)
    return Sample(contender, shutdown, downtime, event.ended - host.answered_at, share)


def of(samples: Sequence[Sample], contender: str, shutdown: str | None = None) -> list[float]:
    """Return the latencies of a contender, where there are any."""
    return [
        each.latency
        for each in samples
        if each.contender == contender
        and each.latency is not None
        and shutdown in (None, each.shutdown)
    ]


def hung(samples: Sequence[Sample], contender: str, shutdown: str | None = None) -> int:
    """Return how often a contender was given up."""
    return sum(
        each.latency is None
        for each in samples
        if each.contender == contender and shutdown in (None, each.shutdown)
    )


def table(samples: Sequence[Sample]) -> Table:
    """Return a row for each downtime."""
    columns = list(product(SHUTDOWNS, CONTENDERS))
    by_place = {(each.shutdown, each.contender, each.downtime): each for each in samples}
    downtimes = sorted({each.downtime for each in samples})
    return Table(
        "From the host's answer to the end of the task",
        ("Downtime", *(f"{contender}, {shutdown}" for shutdown, contender in columns)),
        [
            (f"{downtime:g} s", *(_cell(by_place.get((*place, downtime))) for place in columns))
            for downtime in downtimes
        ],
    )


def _cell(sample: Sample | None) -> str:
    if sample is None:
        return NOTHING
    return "hung" if sample.latency is None else seconds(sample.latency)


def summary_table(samples: Sequence[Sample]) -> Table:
    """Return a row for each contender and way to go down."""
    return Table(
        "The same, summed up",
        ("Who", "Shutdown", "Mean", "Median", "95 %", "Longest", "Hung"),
        list(_summaries(samples)),
    )


def _summaries(samples: Sequence[Sample]) -> Iterator[tuple[str, ...]]:
    for contender, shutdown in product(CONTENDERS, SHUTDOWNS):
        found = figures.summarise(of(samples, contender, shutdown))
        times = (
            [NOTHING] * 4
            if found is None
            else [seconds(each) for each in (found.mean, found.median, found.p95, found.maximum)]
        )
        yield (contender, shutdown, *times, str(hung(samples, contender, shutdown)))


def accept(samples: Sequence[Sample]) -> list[Acceptance]:
    """Return what must hold; a task of core that hung counts for neither side."""
    ours, core, role = (
        figures.summarise(of(samples, contender)) for contender in ("ours", "core", "role")
    )
    share = figures.ratio(ours.mean, core.mean) if ours and core else None
    busy = figures.summarise([each.busy for each in samples if each.latency is not None])
    return [
        Acceptance("ours, mean", ours.mean if ours else None, MEAN, "s"),
        Acceptance("ours, longest", ours.maximum if ours else None, MAXIMUM, "s"),
        Acceptance("ours / core, mean", share, SHARE_OF_CORE),
        Acceptance("ours, hung", float(hung(samples, "ours")), 0.0),
        Acceptance("role, mean", role.mean if role else None, ROLE_MEAN, "s"),
        Acceptance("role, hung", float(hung(samples, "role")), 0.0),
        Acceptance(
            "share of processors in use just before, mean", busy.mean if busy else None, BUSY
        ),
    ]

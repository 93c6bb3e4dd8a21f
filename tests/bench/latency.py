# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: how long after the host answers again the task, the role or the playbook is done."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from tests.hosts import Hosts, Script

from . import contenders, figures, load, play
from .contenders import Task
from .errors import BenchError
from .play import Play, Playbook, Tasks
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
# The role with all that the playbook does around it, to the table at the end of a batch.
PLAYBOOK = "playbook"
NAMES = (*CONTENDERS, PLAYBOOK)
# Core asks every 13 s at the latest. What is not done so long after the host counts as not done.
PATIENCE = 60.0

MEAN, MAXIMUM, SHARE_OF_CORE = 0.5, 1.2, 0.15
# Beside what the task itself needs: the checks of what came up and the tasks of the controller
# around them, and the table of the playbook.
MEANS = {"role": 1.5, PLAYBOOK: 2.0}
# Above this the machine has no time to spare for what is measured.
BUSY = 0.5


@dataclass(frozen=True)
class Sample:
    """One reboot; no latency where it failed, or was not done in time and given up."""

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
    for shutdown, contender in product(SHUTDOWNS, NAMES):
        found = sweep(contender, shutdown, QUICK if quick else DOWNTIMES)
        samples += found
        say(f"latency: {contender}, {shutdown}: {_told(found)}")
    raw = {"samples": [vars(sample) for sample in samples]}
    return PartResult("latency", raw, [table(samples), summary_table(samples)], accept(samples))


def _told(samples: Sequence[Sample]) -> str:
    return ", ".join(f"{each.downtime:g}: {seconds(each.latency)}" for each in samples)


def sweep(contender: str, shutdown: str, downtimes: Sequence[float]) -> list[Sample]:
    """Reboot a host for each downtime, all in one run of ansible-playbook."""
    with Hosts() as hosts, load.watched() as busy:
        made = {}
        for number, downtime in enumerate(downtimes):
            script = SHUTDOWNS[shutdown]
            made[f"h{number}"] = hosts.add(f"h{number}", _with_downtime(script, downtime))
        done = _reboot(contender, hosts.inventory(), downtimes)
        # What was at work when the run was ended is in no event, and could pass for done.
        if not (done.events and done.ended):
            raise BenchError(f"latency: {contender}, {shutdown}: {done.output[-2000:]}")
        return [
            judged(
                Sample(contender, shutdown, host.script.downtime, None, 0.0),
                [event for event in done.events if event.host == name],
                host,
                busy,
            )
            for name, host in made.items()
        ]


def _reboot(contender: str, inventory: Path, downtimes: Sequence[float]) -> Play:
    """No host waits in its tasks for another one: in the playbook they would, and go one by one."""
    longest = max(downtimes) + 2 * PATIENCE
    what: Tasks | Playbook = contenders.playbook(1)
    limit = sum(each + PATIENCE for each in downtimes)
    if contender != PLAYBOOK:
        what = Tasks(contenders.bounded(CONTENDERS[contender], longest), strategy="free")
        limit = 2 * longest
    return play.run(
        what,
        inventory,
        forks=len(downtimes),
        environment={"ANSIBLE_PIPELINING": "True"},
        timeout=limit,
    )


def _with_downtime(script: Script, downtime: float) -> Script:
    return Script(vanish=script.vanish, shutdown=script.shutdown, downtime=downtime)


class _Answering(t.Protocol):
    @property
    def answered_at(self) -> float: ...


def judged(
    nothing: Sample, events: Sequence[play.Event], host: _Answering, busy: load.Load
) -> Sample:
    """Return what the events of a host come to; what failed is in none of the other figures."""
    wrong = [event for event in events if event.status != "ok"]
    if wrong or not events:
        return replace(nothing, message=str(wrong[0].result.get("msg")) if wrong else "no result")
    answered = host.answered_at
    latency = events[-1].ended - answered
    # Nobody can know of a boot before it answers.
    if not 0 <= latency <= PATIENCE:
        return replace(nothing, message=f"done {latency:.0f} s after its answer")
    return replace(nothing, latency=latency, busy=busy.share(answered - 1.0, answered))


def of(samples: Sequence[Sample], contender: str, shutdown: str | None = None) -> list[float]:
    """Return the latencies of a contender, where there are any."""
    return [
        each.latency
        for each in samples
        if each.contender == contender
        and each.latency is not None
        and shutdown in (None, each.shutdown)
    ]


def not_done(samples: Sequence[Sample], contender: str, shutdown: str | None = None) -> int:
    """Return how often a contender failed or was given up."""
    return sum(
        each.latency is None
        for each in samples
        if each.contender == contender and shutdown in (None, each.shutdown)
    )


def table(samples: Sequence[Sample]) -> Table:
    """Return a row for each downtime."""
    columns = list(product(SHUTDOWNS, NAMES))
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
    return "not done" if sample.latency is None else seconds(sample.latency)


def summary_table(samples: Sequence[Sample]) -> Table:
    """Return a row for each contender and way to go down."""
    return Table(
        "The same, summed up",
        ("Who", "Shutdown", "Mean", "Median", "95 %", "Longest", "Not done"),
        list(_summaries(samples)),
    )


def _summaries(samples: Sequence[Sample]) -> Iterator[tuple[str, ...]]:
    for contender, shutdown in product(NAMES, SHUTDOWNS):
        found = figures.summarise(of(samples, contender, shutdown))
        times = (
            [NOTHING] * 4
            if found is None
            else [seconds(each) for each in (found.mean, found.median, found.p95, found.maximum)]
        )
        yield (contender, shutdown, *times, str(not_done(samples, contender, shutdown)))


def accept(samples: Sequence[Sample]) -> list[Acceptance]:
    """Return what must hold; a task of core that was not done counts for neither side."""
    ours, core = (_mean(samples, contender) for contender in ("ours", "core"))
    share = figures.ratio(ours, core) if ours is not None and core is not None else None
    return [
        Acceptance("ours, mean", ours, MEAN, "s"),
        Acceptance("ours, longest", max(of(samples, "ours"), default=None), MAXIMUM, "s"),
        Acceptance("ours / core, mean", share, SHARE_OF_CORE),
        *(Acceptance(f"{name}, mean", _mean(samples, name), MEANS[name], "s") for name in MEANS),
        *(
            Acceptance(f"{name}, not done", float(not_done(samples, name)), 0.0)
            for name in NAMES
            if name != "core"
        ),
        Acceptance(
            "share of processors in use just before, mean of the busiest", _busiest(samples), BUSY
        ),
    ]


def _mean(samples: Sequence[Sample], contender: str) -> float | None:
    found = figures.summarise(of(samples, contender))
    return found.mean if found else None


def _busiest(samples: Sequence[Sample]) -> float | None:
    """Return how busy the machine was with the contender that left it the least time to spare."""
    done = [each for each in samples if each.latency is not None]
    shares = [
        statistics.fmean(each.busy for each in done if each.contender == name)
        for name in {each.contender for each in done}
    ]
    return max(shares, default=None)

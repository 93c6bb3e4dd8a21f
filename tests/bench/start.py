# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: what passes between the start of the task and the host's order to reboot."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from tests.hosts import Host, Hosts, Script

from . import contenders, figures, play
from .contenders import Task
from .errors import BenchError
from .play import Tasks
from .results import Acceptance, PartResult, Table, seconds

HOSTS, QUICK = 10, 3
SCRIPT = Script(vanish="orderly", shutdown=0.5, downtime=2.0)
CONTENDERS: Mapping[str, Sequence[Task]] = {
    "core": contenders.CORE,
    "ours": contenders.OURS,
    # With its questions to the host before the order.
    "role": contenders.ROLE,
}
NOTHING_TO_DO: Sequence[Task] = ({"name": "Do nothing", "ansible.builtin.meta": "noop"},)
PIPELINING = (False, True)
TIMEOUT = 900.0
# At least one operation less than the ten that core needs at most.
FEWER = 0.9
# The role asks what runs, too, and must come with that to no more than half as many again.
ROLE_MORE = 1.5


@dataclass(frozen=True)
class Measured:
    """One contender, with or without pipelining; a list has a value for each host."""

    contender: str
    pipelining: bool
    triggers: Sequence[float]
    operations: Sequence[int]
    # Processor time of the whole task on the controller, less that of a play with no task.
    cpu: float

    @property
    def trigger(self) -> float:
        found = figures.summarise(self.triggers)
        return found.median if found else 0.0


def run(quick: bool, say: Callable[[str], None]) -> PartResult:
    """Reboot one host after the other."""
    size = QUICK if quick else HOSTS
    found = [
        measure(name, pipelining, size) for pipelining, name in product(PIPELINING, CONTENDERS)
    ]
    for each in found:
        say(f"start: {each.contender}, {_mode(each)}: {seconds(each.trigger)}")
    raw = {"measured": [vars(each) for each in found]}
    return PartResult("start", raw, [table(found)], accept(found))


def measure(contender: str, pipelining: bool, size: int) -> Measured:
    """Reboot hosts, one at a time: nothing else takes the controller's time."""
    environment = {"ANSIBLE_PIPELINING": str(pipelining)}
    with Hosts() as hosts:
        made = [hosts.add(f"h{number}", SCRIPT) for number in range(size)]
        inventory = hosts.inventory()
        idle, done = (
            play.run(
                # A role has many tasks, and a host is to come to its order before the next one.
                Tasks(tasks, strategy="host_pinned"),
                inventory,
                forks=1,
                environment=environment,
                timeout=TIMEOUT,
            )
            for tasks in (NOTHING_TO_DO, CONTENDERS[contender])
        )
        events = done.of(contenders.ORDER)
        if done.rc != 0 or len(events) != size:
            raise BenchError(f"start: {contender}: {done.output[-2000:]}")
        return Measured(
            contender,
            pipelining,
            [ordered_at(host) - events[host.name].started for host in made],
            [host.operations_before_order() for host in made],
            (done.cpu - idle.cpu) / size,
        )


def ordered_at(host: Host) -> float:
    return host.journal.find("order")[0].time


def _mode(measured: Measured) -> str:
    return "pipelining" if measured.pipelining else "no pipelining"


def table(found: Sequence[Measured]) -> Table:
    """Return a row for each contender."""
    return Table(
        "From the start of the task to the order, on hosts that answer at once",
        ("Who", "Pipelining", "Time, median", "ssh operations", "CPU of the whole task"),
        [
            (
                each.contender,
                "on" if each.pipelining else "off",
                seconds(each.trigger),
                str(max(each.operations)),
                f"{1000 * each.cpu:.0f} ms",
            )
            for each in found
        ],
    )


def accept(found: Sequence[Measured]) -> list[Acceptance]:
    """Return what must hold in both modes: less work than core's, no slower, and the role's bound."""
    return [acceptance for pipelining in PIPELINING for acceptance in _pair(found, pipelining)]


def _pair(found: Sequence[Measured], pipelining: bool) -> Iterator[Acceptance]:
    by_name = {each.contender: each for each in found if each.pipelining is pipelining}
    ours, core, role = (by_name[name] for name in ("ours", "core", "role"))
    mode = _mode(ours)
    operations = figures.ratio(float(max(role.operations)), float(max(core.operations)))
    yield Acceptance(f"role / core, ssh operations, {mode}", operations, ROLE_MORE)
    values: Mapping[str, tuple[t.Callable[[Measured], float], float]] = {
        "ssh operations": (lambda each: float(max(each.operations)), FEWER),
        "time": (lambda each: each.trigger, 1.0),
        "CPU": (lambda each: each.cpu, 1.0),
    }
    for name, (value, limit) in values.items():
        yield Acceptance(
            f"ours / core, {name}, {mode}", figures.ratio(value(ours), value(core)), limit
        )

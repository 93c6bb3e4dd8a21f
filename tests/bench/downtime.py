# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Part: how long a real machine is away, and how much of that is its own."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.lab import ImageSpec, Lab, MachineSpec, Record

from . import console, contenders, figures, play
from .console import Reboot
from .contenders import Task
from .errors import BenchError
from .results import Acceptance, PartResult, Table, seconds

LOADERS: Mapping[str, str] = {"extlinux": "BIOS, extlinux", "grub-efi": "UEFI, GRUB"}
# Core's goes through firmware; all run on the same machine, one after the other.
CONTENDERS: Mapping[str, Sequence[Task]] = {
    "core": contenders.CORE,
    "ours": contenders.OURS,
    "role": contenders.ROLE,
}
TIMEOUT = 900.0

# What noticing the machine and proving its boot may take beside the machine's own time; and what
# the role may add to it, which waits until all services run again and has the host forget it.
SHARE, REST, ROLE_REST = 1.10, 2.0, 6.0
# The role asks what runs and has the host remember it, too, before it gives the order.
ROLE_MORE = 1.5


@dataclass(frozen=True)
class Measured:
    """One reboot of one machine."""

    loader: str
    contender: str
    reboot: Reboot
    # From the start of the task, or of the role, to OpenRC's first word on the way down.
    until_down: float
    # From OpenRC's first word on the way down to the end of it.
    until_done: float
    # What the result of the task says, where it does.
    downtime: float | None

    @property
    def allowed(self) -> float:
        return self.reboot.floor * SHARE + REST


def run(quick: bool, say: Callable[[str], None]) -> PartResult:
    """Reboot one machine after the other, each with all contenders."""
    found = []
    for loader in list(LOADERS)[: 1 if quick else None]:
        with Lab() as lab:
            record = lab.up(MachineSpec(f"bench-{loader}", image=ImageSpec(loader=loader)))
            for contender in CONTENDERS:
                found.append(measure(loader, contender, record))
                say(f"downtime: {loader}, {contender}: {seconds(found[-1].until_done, 1)}")
    return PartResult(
        "downtime", {"reboots": list(map(_raw, found))}, [table(found)], accept(found)
    )


def measure(loader: str, contender: str, record: Record) -> Measured:
    """Reboot the machine once, and read from its console what it was doing."""
    with console.followed(record.serial_log) as lines:
        done = play.run(
            play.Tasks(CONTENDERS[contender]),
            record.inventory,
            forks=1,
            environment={"ANSIBLE_PIPELINING": "True"},
            timeout=TIMEOUT,
        )
    reboot = console.read(lines)
    if done.rc != 0 or reboot is None:
        shown = "\n".join(line.text for line in lines[-20:])
        raise BenchError(f"downtime: {loader}, {contender}: {done.output[-2000:]}\n{shown}")
    return Measured(
        loader,
        contender,
        reboot,
        reboot.stopping - done.of(contenders.ORDER)[record.name].started,
        done.last()[record.name].ended - reboot.stopping,
        done.said(record.name, "downtime"),
    )


def _raw(measured: Measured) -> dict[str, t.Any]:
    reboot = measured.reboot
    times = {
        "shutdown": reboot.shutdown,
        "kernel": reboot.kernel,
        "services": reboot.services,
        "floor": reboot.floor,
        "until_down": measured.until_down,
        "until_done": measured.until_done,
        "downtime": measured.downtime,
    }
    shown = {name: None if time is None else round(time, 2) for name, time in times.items()}
    return {"loader": measured.loader, "contender": measured.contender, **shown}


def table(found: Sequence[Measured]) -> Table:
    """Return a row for each reboot."""
    return Table(
        "Real machines, timed by their console",
        (
            "Machine",
            "Who",
            "Until services stop",
            "Services stop",
            "To the next OpenRC",
            "Services start",
            "The machine's own time",
            "Until the task is done",
        ),
        [
            (LOADERS[each.loader], each.contender, *(seconds(time, 1) for time in _times(each)))
            for each in found
        ],
    )


def _times(measured: Measured) -> Iterator[float]:
    reboot = measured.reboot
    yield measured.until_down
    yield from (reboot.shutdown, reboot.kernel, reboot.services, reboot.floor)
    yield measured.until_done


def accept(found: Sequence[Measured]) -> list[Acceptance]:
    """Return what must hold on each machine."""
    by_place = {(each.loader, each.contender): each for each in found}
    return [
        acceptance
        for loader in LOADERS
        if (loader, "core") in by_place
        for acceptance in _of_a_machine(*(by_place[loader, name] for name in CONTENDERS))
    ]


def _of_a_machine(core: Measured, ours: Measured, role: Measured) -> Iterator[Acceptance]:
    for each, rest, more in ((ours, 0.0, 1.0), (role, ROLE_REST, ROLE_MORE)):
        who, place = each.contender, LOADERS[each.loader]
        what = f"{who}, until the task is done, {place}"
        yield Acceptance(what, each.until_done, each.allowed + rest, "s")
        # Loading the image is part of it here, and no part of core's.
        share = figures.ratio(each.until_down, core.until_down)
        yield Acceptance(f"{who} / core, until services stop, {place}", share, more)

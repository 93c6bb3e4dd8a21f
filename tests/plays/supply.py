# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines of the lab as tests take them: of a kind, in a state, and taken down at the end."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from tests.lab import Lab, MachineSpec, Progress, Record, Snapshot, booted, find, prepared, spec_of

from .machine import Machine
from .states import by_playbook

Host = t.TypeVar("Host", bound=Machine)
QUIET = Progress(quiet=True)
KINDS = "machines.yml"


@dataclass(frozen=True)
class Kind:
    """What a scenario says of its machines of one kind."""

    name: str
    spec: MachineSpec
    playbook: Path | None
    variables: dict[str, t.Any]

    def snapshot(self) -> Snapshot:
        """Return a machine of this kind after its boot, and its playbook if there is one."""
        if self.playbook is None:
            return booted(self.spec, QUIET)
        return prepared(self.spec, by_playbook(self.playbook, **self.variables), QUIET)


def kinds(scenario: Path) -> dict[str, Kind]:
    """Read what kinds of machines a scenario has."""
    entries = yaml.safe_load((scenario / KINDS).read_text(encoding="utf-8"))["machines"]
    return {entry["name"]: _kind(scenario, **entry) for entry in entries}


def _kind(
    scenario: Path,
    name: str,
    options: list[str],
    playbook: str = "",
    variables: dict[str, t.Any] | None = None,
) -> Kind:
    path = scenario / playbook if playbook else None
    return Kind(name, spec_of(["any", *options]), path, variables or {})


class Supply:
    """Machines of a scenario, each under a name that no other one has."""

    def __init__(self, scenario: Path, names: Iterator[str], lab: Lab) -> None:
        self._kinds = kinds(scenario)
        self._names = names
        self._lab = lab

    def take(self, host: type[Host], kind: str, source: Snapshot | None = None) -> Host:
        """Return a machine that goes on from a snapshot, or from the state of its kind."""
        found = self._kinds[kind]
        return self._up(host, found, source or found.snapshot())

    def boot(self, host: type[Host], kind: str) -> Host:
        """Return a machine that was powered on, and to which nothing was done."""
        return self._up(host, self._kinds[kind], None)

    def boot_disk(self, host: type[Host], disk: Path, like: Host) -> Host:
        """Return a machine that was powered on with a disk that another one has written."""
        spec = MachineSpec(next(self._names))
        return self._host(host, self._lab.boot_disk(spec, disk, find(like.name)))

    def down(self, host: Machine) -> None:
        """Take a machine down before its test ends: an idle one takes a tenth of a processor."""
        self._lab.down(host.name)

    def _up(self, host: type[Host], kind: Kind, source: Snapshot | None) -> Host:
        return self._host(host, self._lab.up(replace(kind.spec, name=next(self._names)), source))

    @staticmethod
    def _host(host: type[Host], record: Record) -> Host:
        return host(record.name, str(record.inventory))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab for tests: a context that takes down what it brought up."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from . import machine
from .config import MachineSpec
from .progress import Progress
from .records import Record
from .snapshot import Snapshot


class Lab:
    """Machines of one test; `with Lab() as lab: lab.up(MachineSpec("web1"))`."""

    def __init__(self, quiet: bool = False) -> None:
        self._progress = Progress(quiet)
        self._stack = ExitStack()
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def up(self, spec: MachineSpec, source: Snapshot | None = None) -> Record:
        """Boot a machine, or take it from a snapshot; this lab takes it down at its end."""
        record = machine.up(spec, self._progress, source)
        self._names.add(spec.name)
        self._stack.callback(self._end, spec.name)
        return record

    def boot_disk(self, spec: MachineSpec, disk: Path, like: Record) -> Record:
        """Boot a disk that another machine has written; this lab takes it down at its end."""
        record = machine.boot_disk(spec, disk, like, self._progress)
        self._names.add(spec.name)
        self._stack.callback(self._end, spec.name)
        return record

    def down(self, name: str) -> None:
        """Take a machine down before the end."""
        self._names.remove(name)
        machine.down(name)

    def _end(self, name: str) -> None:
        if name in self._names:
            self.down(name)

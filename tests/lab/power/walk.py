# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a disk after each write of a log: the boot loader's view of it, and the kernel's."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .disk import Replay, Span
from .judge import Known, Menu, Verdict, judge
from .log import entries
from .views import Reader, boot_loaders, kernels

# Memory: both copies of a disk are written to and read thousands of times.
_MEMORY = Path("/dev/shm")
_MOST_PREFIXES = 10


@dataclass(frozen=True)
class Sight:
    """What both would do with one state of the disk."""

    boot_loader: Verdict
    kernel: Verdict

    @property
    def difference(self) -> tuple[str, ...]:
        """Return of what kind the difference is: both codes, or the files that differ."""
        if self.boot_loader.code != self.kernel.code:
            return (self.boot_loader.code, self.kernel.code)
        sums, others = dict(self.boot_loader.sums), dict(self.kernel.sums)
        return tuple(sorted(path for path in sums | others if sums.get(path) != others.get(path)))


@dataclass(frozen=True)
class Run:
    """States after one entry and after others up to another, all seen alike; 0 is the start."""

    first: int
    last: int
    sight: Sight


def walk(log: Path, disk: Path, root: Span, menu: Menu, known: Known) -> list[Run]:
    """Return what is seen from the start to the end of a log, in as few runs as there are."""
    with _scratch(disk) as folder, log.open("rb") as stream:
        replay = Replay(disk, root, folder)
        sights = _Sights(replay, menu, known, folder)
        seen = sights.look()
        runs = [Run(0, 0, seen)]
        for number, entry in enumerate(entries(stream), 1):
            if replay.apply(entry):
                seen = sights.look()
            first = runs.pop().first if seen == runs[-1].sight else number
            runs.append(Run(first, number, seen))
    return runs


class _Sights:
    def __init__(self, replay: Replay, menu: Menu, known: Known, folder: Path) -> None:
        self._replay, self._menu, self._known = replay, menu, known
        self._boot_loaders = Reader(replay.disk, replay.span.offset, folder)
        self._kernels = Reader(replay.root, 0, folder)

    def look(self) -> Sight:
        with boot_loaders(self._boot_loaders) as look:
            boot_loader = judge(self._menu, look, self._known)
        with kernels(self._kernels, self._replay) as look:
            return Sight(boot_loader, judge(self._menu, look, self._known))


@contextmanager
def _scratch(disk: Path) -> Iterator[Path]:
    """Lend a folder for two copies of a disk, in memory if there is room."""
    # The file's blocks, which are fewer than its length.
    needed = 3 * 512 * disk.stat().st_blocks
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > needed
    with tempfile.TemporaryDirectory(dir=_MEMORY if in_memory else None) as name:
        yield Path(name)


def seen_after(runs: Iterable[Run], count: int) -> Sight:
    """Return what is seen after so many entries."""
    return next(run.sight for run in runs if run.first <= count <= run.last)


def differences(runs: Iterable[Run]) -> dict[tuple[str, ...], int]:
    """Return each kind of difference between the two views, with its first entry."""
    first: dict[tuple[str, ...], int] = {}
    for run in runs:
        if run.sight.difference:
            first.setdefault(run.sight.difference, run.first)
    return first


def prefixes(runs: list[Run], seed: int, most: int = _MOST_PREFIXES) -> list[int]:
    """Return after how many entries to boot: the first of each kind, the others at random."""
    chosen = sorted(differences(runs).values())[:most]
    others = sorted(set(range(runs[-1].last + 1)) - set(chosen))
    more = random.Random(seed).sample(others, min(most - len(chosen), len(others)))
    return sorted([*chosen, *more])


def report(runs: list[Run], seed: int) -> str:
    """Return all of it in words, with the seed that makes the same choice again."""
    lines = []
    for run in runs:
        lines.append(f"after {run.first} to {run.last} entries")
        for viewer, seen in (("boot loader", run.sight.boot_loader), ("kernel", run.sight.kernel)):
            lines.append(f"  {viewer}: {seen.code}: {seen.found}")
    to_boot = " ".join(map(str, prefixes(runs, seed)))
    return "\n".join([*lines, f"to boot, with seed {seed}: {to_boot}"]) + "\n"

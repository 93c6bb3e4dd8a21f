# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How busy the machine was: a figure taken while it had no time to spare says little."""

from __future__ import annotations

import contextlib
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import proc

GAP_SECONDS = 0.1


@dataclass
class Load:
    """Samples: when, how long the processors had been busy by then, and how long they had been."""

    times: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)

    def share(self, begin: float, end: float) -> float:
        """Return how busy the machine was around that time, 1 where all processors were."""
        first = max(0, bisect_right(self.times, begin) - 1)
        last = min(len(self.times) - 1, bisect_left(self.times, end))
        spent = self.all[last] - self.all[first]
        return (self.busy[last] - self.busy[first]) / spent if spent > 0 else 0.0

    def sample(self) -> None:
        busy, all_of_it = proc.busy_and_all()
        self.times.append(time.monotonic())
        self.busy.append(busy)
        self.all.append(all_of_it)


@contextlib.contextmanager
def watched() -> Iterator[Load]:
    """Sample while the block runs."""
    load, stop = Load(), threading.Event()

    def _watch() -> None:
        while not stop.wait(GAP_SECONDS):
            load.sample()

    load.sample()
    thread = threading.Thread(target=_watch, daemon=True)
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()
        load.sample()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a host is away, measured from the outside and in the same way for any reboot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

GAP_SECONDS = 0.2


def longest_silence(answers: Sequence[float]) -> float:
    """Return the longest time between two answers."""
    gaps = [later - earlier for earlier, later in pairwise(answers)]
    return max(gaps, default=0.0)


class Watch:
    """When the host answered."""

    def __init__(self) -> None:
        self.times: list[float] = []

    @property
    def downtime(self) -> float:
        return longest_silence(self.times)


@contextmanager
def watching(answers: Callable[[], bool]) -> Iterator[Watch]:
    """Ask again and again whether the host answers, while the block runs."""
    seen, stop = Watch(), threading.Event()

    def _watch() -> None:
        while not stop.wait(GAP_SECONDS):
            if answers():
                seen.times.append(time.monotonic())

    thread = threading.Thread(target=_watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()

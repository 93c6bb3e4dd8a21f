# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a host is away, measured from the outside and in the same way for any reboot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Self

GAP_SECONDS = 0.2


def longest_silence(answers: Sequence[float]) -> float:
    """Return the longest time between two answers."""
    gaps = [later - earlier for earlier, later in pairwise(answers)]
    return max(gaps, default=0.0)


class Watch:
    """Asks again and again whether the host answers, while a block runs."""

    def __init__(self, answers: Callable[[], bool]) -> None:
        self._answers = answers
        self._times: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def downtime(self) -> float:
        return longest_silence(self._times)

    def _watch(self) -> None:
        while not self._stop.wait(GAP_SECONDS):
            if self._answers():
                self._times.append(time.monotonic())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A serial console's lines with the time at which each came, and what they tell of a reboot."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GAP_SECONDS = 0.02

# OpenRC on the way down, all that it and the old kernel say, and OpenRC on the way up.
STOPPING = re.compile(r" \* Stopping ")
OLD_SYSTEM = re.compile(r"^ \* |\[ ok \]|reboot: ")
OPENRC = re.compile(r"OpenRC .* is starting up")
READY = re.compile(r" \* Starting sshd .*\[ ok \]")


@dataclass(frozen=True)
class Line:
    """Times are those of the monotonic clock: of its first character, and of its end."""

    began: float
    ended: float
    text: str


@dataclass(frozen=True)
class Reboot:
    """When a machine came to which point."""

    stopping: float
    leaving: float
    openrc: float
    ready: float

    @property
    def shutdown(self) -> float:
        return self.leaving - self.stopping

    @property
    def kernel(self) -> float:
        """The jump or the firmware, and the kernel until its first process."""
        return self.openrc - self.leaving

    @property
    def services(self) -> float:
        return self.ready - self.openrc

    @property
    def floor(self) -> float:
        """What no way to reboot this machine can do without."""
        return self.ready - self.stopping


def read(lines: Sequence[Line]) -> Reboot | None:
    """Return the first reboot in the lines, if all of it is there."""
    rest = iter(lines)
    stopping = _next(rest, STOPPING)
    openrc = _next(rest, OPENRC)
    ready = _next(rest, READY)
    if stopping is None or openrc is None or ready is None:
        return None
    # A jump is silent, so the last line is taken for the moment of leaving.
    down = (line for line in lines if stopping.began <= line.began < openrc.began)
    leaving = max(line.ended for line in down if OLD_SYSTEM.search(line.text))
    return Reboot(stopping.began, leaving, openrc.began, ready.ended)


def _next(lines: Iterator[Line], pattern: re.Pattern[str]) -> Line | None:
    return next((line for line in lines if pattern.search(line.text)), None)


class Reader:
    """Puts what comes in pieces together to lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._rest = b""
        self._began = 0.0

    def take(self, piece: bytes, now: float) -> None:
        if not self._rest:
            self._began = now
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for line in whole:
            self.lines.append(Line(self._began, now, line.decode(errors="replace")))
            self._began = now


@contextlib.contextmanager
def followed(log: Path) -> Iterator[Sequence[Line]]:
    """Note each line that comes while the block runs."""
    reader, stop = Reader(), threading.Event()

    def _follow() -> None:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            while not stop.wait(GAP_SECONDS):
                reader.take(stream.read(), time.monotonic())

    thread = threading.Thread(target=_follow, daemon=True)
    thread.start()
    try:
        yield reader.lines
    finally:
        stop.set()
        thread.join()

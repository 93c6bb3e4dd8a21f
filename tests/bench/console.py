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

# OpenRC's first word on the way down, the kernel's last one, OpenRC's first on the way up, and
# the ssh server's start.
STOPPING = re.compile(r" \* Stopping ")
LEAVING = re.compile(r"Starting new kernel|Restarting system|machine restart")
OPENRC = re.compile(r"OpenRC .* is starting up")
READY = re.compile(r" \* Starting sshd .*\[ ok \]")


@dataclass(frozen=True)
class Line:
    """Times are those of the monotonic clock."""

    time: float
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
    moments = []
    rest = iter(lines)
    for pattern in (STOPPING, LEAVING, OPENRC, READY):
        found = next((line for line in rest if pattern.search(line.text)), None)
        if found is None:
            return None
        moments.append(found.time)
    return Reboot(*moments)


@contextlib.contextmanager
def followed(log: Path) -> Iterator[list[Line]]:
    """Note each line that comes while the block runs."""
    lines: list[Line] = []
    stop = threading.Event()

    def _follow() -> None:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            rest = b""
            while not stop.wait(GAP_SECONDS):
                *whole, rest = (rest + stream.read()).split(b"\n")
                now = time.monotonic()
                lines.extend(Line(now, line.decode(errors="replace")) for line in whole)

    thread = threading.Thread(target=_follow, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        stop.set()
        thread.join()

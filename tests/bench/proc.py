# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What /proc tells of a process and its children: memory, processor time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int, proc: Path = PROC) -> list[int]:
    """Return a process and all that descend from it; those that just ended are left out."""
    found = [pid]
    for parent in found:
        found.extend(_children(parent, proc))
    return found


def _children(pid: int, proc: Path) -> Iterator[int]:
    try:
        text = (proc / f"{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return
    yield from map(int, text.split())


def memory(pid: int, proc: Path = PROC) -> int:
    """Return the KiB of a process, where shared pages count in part (PSS); 0 if it ended."""
    try:
        text = (proc / f"{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def own_seconds(pid: int, proc: Path = PROC) -> float | None:
    """Return the processor time of a process without its children; None if it ended."""
    try:
        text = (proc / f"{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold anything, so count from its end.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_and_all(proc: Path = PROC) -> tuple[float, float]:
    """Return the seconds in which the machine's processors were busy, and all of theirs."""
    numbers = [int(word) for word in (proc / "stat").read_text().splitlines()[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return (sum(numbers) - idle) / TICKS, sum(numbers) / TICKS

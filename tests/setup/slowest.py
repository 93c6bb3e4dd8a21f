# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells which tests took longest, by the reports that pytest left in a folder.

A report is PART.xml, or PART-SCENARIO.xml. The time of a test has that of its set-up in it.
"""

from __future__ import annotations

import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

NUMBER = 10


@dataclass(frozen=True)
class Timing:
    """How long a test of a part took."""

    part: str
    name: str
    seconds: float

    @property
    def line(self) -> str:
        """What is printed of it."""
        return f"{self.part:<22} {self.seconds:>8.1f} s  {self.name}"


def timings(report: Path) -> list[Timing]:
    """Return the tests of a report; one of a run that was killed may be no XML."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except ElementTree.ParseError:
        return []
    return [
        Timing(
            report.stem,
            f"{case.get('classname', '')}::{case.get('name', '')}",
            float(case.get("time", 0)),
        )
        for case in cases
    ]


def slowest(folder: Path, number: int = NUMBER) -> list[Timing]:
    """Return the tests of all reports that took longest, the longest first."""
    found = [timing for report in folder.glob("*.xml") for timing in timings(report)]
    return sorted(found, key=lambda timing: (-timing.seconds, timing.name))[:number]


def lines(folder: Path) -> t.Iterator[str]:
    """Yield what is printed."""
    found = slowest(folder)
    if not found:
        yield "no part that ran has a report of its tests"
    yield from (timing.line for timing in found)


if __name__ == "__main__":
    print("\n".join(lines(Path(sys.argv[1]))))

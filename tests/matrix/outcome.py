# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What came of a part, by the report that pytest left of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from .plan import Part, Row


@dataclass(frozen=True)
class Counts:
    """How many tests passed and failed, and how many were skipped for which reason."""

    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Result:
    """What came of one part of a row; a problem is why it failed, or none of its tests says."""

    row: Row
    part: Part
    counts: Counts
    seconds: float = 0.0
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def counts(report: Path) -> Counts | None:
    """Return what a report counts, None if there is no whole one."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    failed = [case for case in cases if {"failure", "error"} & {child.tag for child in case}]
    skips = [(case, case.find("skipped")) for case in cases if case not in failed]
    reasons = [skip.get("message", "") for _case, skip in skips if skip is not None]
    return Counts(len(cases) - len(failed) - len(reasons), len(failed), Counter(reasons))


def judge(status: int, found: Counts | None) -> str:
    """Return why a part did not pass: by pytest's exit status, and by what it counted."""
    if found is None:
        return f"pytest left no report, and status {status}"
    if found.failed:
        return f"{found.failed} failed"
    if status:
        return f"pytest ended with status {status}"
    return "" if found.passed else "no test ran"

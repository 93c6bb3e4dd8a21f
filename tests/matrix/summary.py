# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end: what ran, what came of it, and what was not found."""

from __future__ import annotations

import typing as t

from .outcome import Result
from .plan import Row

FORM = "{:<10} {:<9} {:<8} {:<9} {:<9} {:>6} {:>6} {:>7} {:>7}"
HEAD = ("row", "core", "Python", "part", "result", "passed", "failed", "skipped", "time")


def lines(rows: t.Sequence[Row], results: t.Sequence[Result]) -> t.Iterator[str]:
    yield FORM.format(*HEAD)
    for row in rows:
        own = [result for result in results if result.row == row]
        yield from (_line(result) for result in own)
        if not own:
            python = "-" if row.python is None else row.python.release
            state = "not found" if row.python is None else "not run"
            for part in row.parts:
                yield FORM.format(row.name, row.core.release, python, part, state, *"----").rstrip()
    yield from _remarks(rows, results)


def _line(result: Result) -> str:
    row, counts = result.row, result.counts
    return FORM.format(
        row.name,
        row.core.release,
        row.python.release if row.python else "-",
        result.part,
        "ok" if result.ok else "FAILED",
        counts.passed,
        counts.failed,
        counts.skipped.total(),
        f"{result.seconds:.0f} s",
    )


def _remarks(rows: t.Sequence[Row], results: t.Sequence[Result]) -> t.Iterator[str]:
    yield from (f"{row.name}: {row.note}" for row in rows if row.note)
    for result in results:
        name = f"{result.row.name} {result.part}"
        if result.problem:
            yield f"{name}: {result.problem}"
        for reason, number in sorted(result.counts.skipped.items()):
            yield f"{name}: {number} skipped: {reason}"


def status(results: t.Sequence[Result], complaint: str | None) -> int:
    """Return the exit status: 0 only if something ran, all of it passed, and it is a matrix."""
    return int(complaint is not None or not results or not all(result.ok for result in results))

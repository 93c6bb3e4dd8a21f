# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows one after the other, and the table of them. See TESTING.md."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from . import environment, outcome, plan, pythons, summary, table
from .environment import ROOT, SetupError
from .outcome import Counts, Result
from .plan import Part, Row
from .pythons import Python

LOGS = ROOT / ".cache/logs"
# As the parts of ./test of the same names run.
TESTS: t.Mapping[Part, tuple[str, ...]] = {
    "units": ("-n", "auto", "--dist=loadgroup", "tests/unit"),
    "scripted": ("-n", "4", "tests/scripted"),
    "modules": (
        *("-n", "auto", "--dist=loadgroup"),
        *("tests/unit/plugins/module_utils", "tests/unit/plugins/modules"),
    ),
}
INTERRUPTED = 130


def search_path(folder: Path) -> str:
    """Return a PATH with the programs of a row's environment and none of .venv."""
    own = os.fspath(ROOT / ".venv/bin")
    others = [each for each in os.environ["PATH"].split(os.pathsep) if each != own]
    return os.pathsep.join([os.fspath(folder / "bin"), *others])


def run_part(row: Row, part: Part, folder: Path) -> Result:
    report = LOGS / f"matrix-{row.name}-{part}.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    done = subprocess.run(
        [
            *(os.fspath(folder / "bin/python"), "-m", "pytest"),
            *("--override-ini=cache_dir=.cache/pytest", f"--junitxml={report}"),
            *("-o", f"junit_suite_name={row.name}", *TESTS[part]),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": search_path(folder)},
        check=False,
    )
    found = outcome.counts(report)
    problem = outcome.judge(done.returncode, found)
    return Result(row, part, found or Counts(), time.monotonic() - started, problem)


def run_row(row: Row, python: Python) -> t.Iterator[Result]:
    try:
        folder = environment.make(row, python)
    except SetupError as error:
        yield from (Result(row, part, Counts(), problem=str(error)) for part in row.parts)
        return
    for part in row.parts:
        print(f"\n==> {row.name}: {part} with Python {python.release}", flush=True)
        yield run_part(row, part, folder)


def run(rows: t.Iterable[Row]) -> list[Result]:
    return [result for row in rows if row.python is not None for result in run_row(row, row.python)]


def interrupted(_number: int, _frame: object) -> t.NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    rows = plan.plan(table.load(), pythons.find(pythons.folders(os.environ)))
    complaint = None if sys.argv[1:] else plan.complaint(rows)
    try:
        rows = plan.chosen(rows, sys.argv[1:])
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    # Whoever ends this ends the tests that it started, too.
    signal.signal(signal.SIGTERM, interrupted)
    try:
        results = run(rows)
    except KeyboardInterrupt:
        return INTERRUPTED
    print("\n======== matrix ========", *summary.lines(rows, results), sep="\n")
    if complaint:
        print(complaint)
    return summary.status(results, complaint)


if __name__ == "__main__":
    sys.exit(main())

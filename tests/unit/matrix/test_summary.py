# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the table says, and when the exit status is not 0."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.matrix import outcome, summary
from tests.matrix.outcome import Counts, Result
from tests.matrix.plan import Part, Row
from tests.matrix.pythons import Python
from tests.matrix.table import Core

CORE = Core("2.20", "2.20.10", ("3.12",))
ROW = Row("core", "core-2.20", CORE, ("3.12",), Python("3.12.1", "/usr/bin/python3.12"), "3.12")
MISSING = Row("host", "host-3.9", CORE, ("3.9",), None, "3.9")


def result(part: Part = "units", problem: str = "", counts: Counts | None = None) -> Result:
    return Result(ROW, part, counts or Counts(passed=5), 61.4, problem)


def test_table_has_every_row_and_what_is_to_be_said_of_it() -> None:
    results = [
        result(counts=Counts(5, 0, Counter({"no paramiko": 2, "only in full": 1}))),
        result("scripted", "1 failed", Counts(3, 1)),
    ]
    _head, *lines = summary.lines([ROW, MISSING], results)
    assert [line.split() for line in lines[:2]] == [
        ["core-2.20", "2.20.10", "3.12.1", "units", "ok", "5", "0", "3", "61", "s"],
        ["core-2.20", "2.20.10", "3.12.1", "scripted", "FAILED", "3", "1", "0", "61", "s"],
    ]
    assert lines[2].split()[:6] == ["host-3.9", "2.20.10", "-", "modules", "not", "found"]
    assert lines[3:] == [
        "host-3.9: not found: this machine has no Python 3.9 that makes environments",
        "core-2.20 units: 2 skipped: no paramiko",
        "core-2.20 units: 1 skipped: only in full",
        "core-2.20 scripted: 1 failed",
    ]


@pytest.mark.parametrize(
    ("results", "complaint", "status"),
    [
        pytest.param([result()], None, 0, id="passed"),
        pytest.param([result(), result("scripted", "1 failed")], None, 1, id="one failed"),
        pytest.param([result()], "only the first", 1, id="no matrix"),
        pytest.param([], None, 1, id="nothing ran"),
    ],
)
def test_status(results: list[Result], complaint: str | None, status: int) -> None:
    assert summary.status(results, complaint) == status


REPORT = """<testsuites><testsuite>
<testcase name="a"/>
<testcase name="b"><failure message="x"/></testcase>
<testcase name="c"><error message="x"/></testcase>
<testcase name="d"><skipped message="no paramiko"/></testcase>
<testcase name="e"><skipped message="no paramiko"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        pytest.param(REPORT, Counts(1, 2, Counter({"no paramiko": 2})), id="all kinds"),
        pytest.param("<testsuites/>", Counts(), id="empty"),
        pytest.param("<testsuites><test", None, id="cut off"),
        pytest.param(None, None, id="none"),
    ],
)
def test_counts_of_a_report(tmp_path: Path, text: str | None, counts: Counts | None) -> None:
    report = tmp_path / "report.xml"
    if text is not None:
        report.write_text(text)
    assert outcome.counts(report) == counts


@pytest.mark.parametrize(
    ("status", "counts", "problem"),
    [
        pytest.param(0, Counts(1), "", id="passed"),
        pytest.param(1, Counts(1, 2), "2 failed", id="failed"),
        pytest.param(0, Counts(1, 2), "2 failed", id="failed without a status"),
        pytest.param(3, Counts(1), "pytest ended with status 3", id="ended badly"),
        pytest.param(0, Counts(0, 0, Counter(all=4)), "no test ran", id="all skipped"),
        pytest.param(-9, None, "pytest left no report, and status -9", id="killed"),
    ],
)
def test_judge(status: int, counts: Counts | None, problem: str) -> None:
    assert outcome.judge(status, counts) == problem

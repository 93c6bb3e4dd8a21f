# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re

import pytest

from tests.bench import report
from tests.bench.__main__ import GUIDE
from tests.bench.results import Acceptance, PartResult, Table

TABLE = Table("Times", ("Who", "Time"), [("core", "5 s"), ("ours", "1 s")])
PARTS = [
    PartResult("one", {"a": 1}, [TABLE], [Acceptance("mean", 0.4, 0.5, "s")]),
    PartResult("two", {}, [], [Acceptance("share", None, 0.25)]),
]
MACHINE = {"cores": "2"}


def test_json_has_raw_figures_and_whether_they_suffice() -> None:
    document = json.loads(report.as_json(MACHINE, PARTS))
    assert document["machine"] == MACHINE
    assert document["holds"] is False
    assert document["parts"]["one"]["holds"] is True
    assert document["parts"]["one"]["raw"] == {"a": 1}
    assert document["parts"]["two"]["acceptances"][0]["found"] is None


def test_tables_begin_with_the_promises_and_end_with_the_machine() -> None:
    first, *middle, last = report.tables(MACHINE, PARTS)
    assert first.rows == [
        ("one", "mean", "0.40 s", "0.50 s", "yes"),
        ("two", "share", "-", "0.25", "NO"),
    ]
    assert middle == [TABLE]
    assert last.rows == [("cores", "2")]


def test_markdown() -> None:
    assert report.as_markdown([TABLE]).splitlines() == [
        "## Times",
        "",
        "| Who | Time |",
        "| --- | --- |",
        "| core | 5 s |",
        "| ours | 1 s |",
    ]


def test_restructured_text() -> None:
    assert report.as_rst([TABLE]).splitlines() == [
        "Times",
        "-----",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Who",
        "     - Time",
        "   * - core",
        "     - 5 s",
        "   * - ours",
        "     - 1 s",
    ]


def test_publishing_keeps_what_a_person_wrote() -> None:
    guide = f"Written.\n\n{report.BEGIN}\n\nold\n"
    published = report.publish(guide, "new\n\n")
    assert published == f"Written.\n\n{report.BEGIN}\n\nnew\n"
    assert report.publish(published, "new") == published


def test_guide_has_a_place_for_the_tables() -> None:
    written, _mark, _tables = GUIDE.read_text(encoding="utf-8").partition(report.BEGIN)
    published = report.publish(GUIDE.read_text(encoding="utf-8"), "new")
    assert published.startswith(written)
    assert published.endswith(f"{report.BEGIN}\n\nnew\n")


def test_guide_says_which_rows_its_tables_do_not_have_yet() -> None:
    written, _mark, tables = GUIDE.read_text(encoding="utf-8").partition(report.BEGIN)
    has_rows = [
        re.search(rf"^ +[*-] - ({of})\b", tables, re.MULTILINE) is not None
        for of in ("role", "playbook", "batches")
    ]
    is_said = "come with the next run that is published" in " ".join(written.split())
    # A run that is published has them all.
    assert has_rows == [not is_said] * 3


def test_publishing_into_another_text_fails() -> None:
    with pytest.raises(ValueError, match="has no line"):
        report.publish("Something else.\n", "new")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The longest tests of all parts are told with their part and their set-up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.setup import slowest

TESTS = """
import time
import pytest

@pytest.fixture
def machine():
    time.sleep(0.2)

def test_quick():
    pass

def test_that_is_set_up(machine):
    pass
"""


def report(folder: Path, part: str, **seconds: float) -> None:
    cases = "".join(
        f'<testcase classname="tests.test_it" name="{name}" time="{each}" />'
        for name, each in seconds.items()
    )
    text = f"<testsuites><testsuite>{cases}</testsuite></testsuites>"
    (folder / f"{part}.xml").write_text(text)


def test_longest_tests_of_all_parts_come_first(tmp_path: Path) -> None:
    report(tmp_path, "units", a=1.5, b=0.25)
    report(tmp_path, "machines-rolling", c=61.0)
    assert list(slowest.lines(tmp_path)) == [
        "machines-rolling           61.0 s  tests.test_it::c",
        "units                       1.5 s  tests.test_it::a",
        "units                       0.2 s  tests.test_it::b",
    ]


def test_no_more_than_ten_are_told(tmp_path: Path) -> None:
    report(tmp_path, "units", **{f"test_{number}": number / 10 for number in range(30)})
    found = slowest.slowest(tmp_path)
    assert [timing.seconds for timing in found] == [number / 10 for number in range(29, 19, -1)]


def test_run_without_reports_says_so(tmp_path: Path) -> None:
    (tmp_path / "lint.log").touch()
    assert list(slowest.lines(tmp_path)) == ["no part that ran has a report of its tests"]


def test_report_that_is_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "scripted.xml").write_text("<testsuites><testsuite")
    report(tmp_path, "units", a=1.5)
    assert [timing.part for timing in slowest.slowest(tmp_path)] == ["units"]


def test_report_of_pytest_counts_the_set_up(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "--junitxml=units.xml", "test_it.py"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=alone)
    first, second = slowest.slowest(tmp_path)
    assert (first.name, second.name) == ("test_it::test_that_is_set_up", "test_it::test_quick")
    assert first.seconds >= 0.2

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of one machine share a worker, with the versions of pytest and xdist that are installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.plays.run import ROOT

CONFTEST = """
import pytest
from tests.plays import spread

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    spread(items, lambda item: item.callspec.params["machine"])
"""
TESTS = """
import os
import pytest

@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("machine", ["one", "two"])
def test_it(machine, number):
    with open(machine, "a") as log:
        log.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_tests_of_one_machine_share_a_worker(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    command = [sys.executable, "-m", "pytest", "--numprocesses=2", "--dist=loadgroup"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for machine in ("one", "two"):
        workers = (tmp_path / machine).read_text().split()
        assert len(workers) == 3
        assert len(set(workers)) == 1

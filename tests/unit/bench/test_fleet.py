# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.bench import fleet
from tests.bench.fleet import Case, Measured
from tests.plays.run import ROOT

# Ten times what a reboot of two such hosts takes.
TIMEOUT = 120.0

CORE = Measured(wall=800.0, cpu=400.0, main_cpu=200.0, memory_mib=600.0)
SPLIT = Measured(wall=80.0, cpu=100.0, main_cpu=20.0, memory_mib=300.0)
LARGEST = {
    Case("core", 1000, 50): CORE,
    Case("split", 1000, 50): SPLIT,
    Case("role", 1000, 50): replace(SPLIT, wall=160.0),
    Case("split", 100, 50): replace(SPLIT, cpu=10.0),
    Case("role", 100, 50): replace(SPLIT, cpu=14.0),
    Case("playbook", 100, 50): replace(SPLIT, wall=88.0, cpu=17.5),
    Case("split with hooks", 100, 50): replace(SPLIT, cpu=20.0),
    Case("role with hooks", 100, 50): replace(SPLIT, wall=200.0, cpu=50.0),
}


@pytest.mark.parametrize(
    ("case", "fits"),
    [
        pytest.param(Case("core", 1000, 50), True, id="core with many forks"),
        pytest.param(Case("core", 1000, 5), False, id="core with few forks"),
        pytest.param(Case("blocking", 100, 5), True, id="blocking"),
        pytest.param(Case("split", 1000, 5), True, id="split with few forks"),
        pytest.param(Case("role", 1000, 5), True, id="role with few forks"),
        pytest.param(Case("playbook", 1000, 5), True, id="playbook with few forks"),
        pytest.param(Case("role with hooks", 1000, 50), False, id="role with hooks"),
    ],
)
def test_what_takes_too_long_is_not_run(case: Case, fits: bool) -> None:
    assert fleet.fits(case) is fits


def test_cases_have_what_is_accepted_but_for_a_quick_run() -> None:
    assert set(LARGEST) <= set(fleet.cases(quick=False))
    assert {case.size for case in fleet.cases(quick=True)} == {10}


@pytest.mark.parametrize("quick", [True, False])
def test_every_contender_has_a_case_of_each_size_and_number_of_forks(quick: bool) -> None:
    found = fleet.cases(quick=quick)
    assert len(found) == len(set(found)) == len(fleet.CONTENDERS) * len({c.size for c in found}) * 2


def test_a_fleet_that_is_quick_and_cheap_is_accepted() -> None:
    found = fleet.accept(LARGEST)
    assert [(each.found, each.holds) for each in found] == [
        (0.1, True),
        (0.2, True),
        (1.0, True),
        (1.0, True),
        (1.4, True),
        (2.5, True),
        (2.5, True),
        (1.1, True),
        (1.25, True),
    ]


@pytest.mark.parametrize(
    ("case", "measured"),
    [
        pytest.param(Case("split", 1000, 50), replace(SPLIT, wall=201.0), id="slow"),
        pytest.param(Case("split", 1000, 50), replace(SPLIT, cpu=121.0), id="dearer with the size"),
        pytest.param(Case("role", 1000, 50), replace(SPLIT, wall=201.0), id="slow by the role"),
        pytest.param(Case("role", 100, 50), replace(SPLIT, wall=97.0, cpu=1.0), id="slower"),
        pytest.param(Case("role", 100, 50), replace(SPLIT, cpu=15.1), id="dear by the role"),
        pytest.param(
            Case("playbook", 100, 50), replace(SPLIT, wall=105.0, cpu=1.0), id="slow playbook"
        ),
        pytest.param(Case("playbook", 100, 50), replace(SPLIT, cpu=22.0), id="dear playbook"),
        pytest.param(Case("role with hooks", 100, 50), replace(SPLIT, cpu=61.0), id="dear hooks"),
        pytest.param(
            Case("role with hooks", 100, 50), replace(SPLIT, wall=241.0, cpu=1.0), id="slow hooks"
        ),
    ],
)
def test_a_fleet_that_is_slow_or_dear_is_not(case: Case, measured: Measured) -> None:
    assert not all(each.holds for each in fleet.accept({**LARGEST, case: measured}))


# In a process of its own, which takes in what detaches itself from its children.
MEASURE = """
from tests.bench import fleet
fleet.DOWNTIME = 1.0
print(fleet.measure(fleet.Case("playbook", 2, 2)).wall)
"""


def test_scripted_client_understands_all_that_the_playbook_asks() -> None:
    collections = ROOT / ".cache/collections"
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(collections)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 1.0


def test_what_was_not_run_is_said_to_be_so() -> None:
    case = Case("core", 1000, 5)
    assert fleet.table({case: None}).rows == [("1000", "5", "core", "not run", "-", "-")]
    assert fleet.table({replace(case, contender="split"): SPLIT}).rows == [
        ("1000", "5", "split", "80 s", "100 ms", "300 MiB")
    ]

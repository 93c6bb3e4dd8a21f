# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines for tests: each takes its own, uses it up, and nobody gets it afterwards."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.plays import Supply

LOGS = Path(__file__).parents[3] / ".cache/logs"
_NUMBERS = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave the results of each scenario in a file of its own, for the table of ./test."""
    scenario = os.environ.get("MOLECULE_SCENARIO_NAME", "")
    if scenario and not config.option.xmlpath:
        config.option.xmlpath = str(LOGS / f"machines-{scenario.rpartition('/')[2]}.xml")


# xdist gives a worker the next test before it has ended one: a long one at the end would run alone.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _supply(request: pytest.FixtureRequest) -> Iterator[Supply]:
    scenario = request.path.parents[1]
    title = scenario.name.replace("_", "-")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
    # A name is never used again: testinfra keeps an inventory by its path.
    names = (f"{title}-{worker}-{number}" for number in _NUMBERS)
    with Lab(quiet=True) as lab:
        yield Supply(scenario, names, lab)


@pytest.fixture
def machines(request: pytest.FixtureRequest) -> Iterator[Supply]:
    """Machines of one test."""
    yield from _supply(request)


@pytest.fixture(scope="module")
def shared_machines(request: pytest.FixtureRequest) -> Iterator[Supply]:
    """Machines of a file whose tests only look at them, so that their order does not matter."""
    yield from _supply(request)

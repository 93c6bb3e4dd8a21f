# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import Machine, spread


# xdist looks for the groups at the same time.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A campaign goes through all machines, so one worker has all tests.
    spread(items, lambda _item: "rolling")


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> str:
    return t.cast("str", request.config.getoption("ansible_inventory"))


@pytest.fixture(scope="session")
def machine(inventory: str) -> t.Callable[[int], Machine]:
    """Return a machine by its number."""
    return lambda number: Machine(f"rolling-{number}", inventory)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import Machine, by_fixture, spread

MACHINES = {
    "unlocked": "reboot-open",
    "broken": "reboot-open",
    "parallel": "reboot-parallel",
    "locked": "reboot-locked",
}


# xdist looks for the groups at the same time.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spread(items, by_fixture(MACHINES))


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> t.Callable[[str], Machine]:
    """Return a machine by its name."""
    inventory = request.config.getoption("ansible_inventory")
    return lambda name: Machine(name, inventory)


@pytest.fixture
def unlocked(machine: t.Callable[[str], Machine]) -> Machine:
    return machine("reboot-open")


@pytest.fixture
def parallel(machine: t.Callable[[str], Machine]) -> Machine:
    """Its services start and stop side by side."""
    return machine("reboot-parallel")


@pytest.fixture
def locked(machine: t.Callable[[str], Machine]) -> Machine:
    """Its kernel locks kexec, as Alpine's do by default."""
    return machine("reboot-locked")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, one for each boot loader."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import EXHAUSTIVE, Machine, spread

LOADERS = ("extlinux", "grub", "grub-efi") if EXHAUSTIVE else ("extlinux", "grub-efi")


def loader_of(item: pytest.Item) -> str:
    """Every test is one of each loader."""
    callspec: t.Any = getattr(item, "callspec", None)
    return str(callspec.params["machine"])


# xdist looks for the groups at the same time.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spread(items, loader_of)


@pytest.fixture(params=LOADERS)
def machine(request: pytest.FixtureRequest) -> Machine:
    """A machine that prepare.yml was run on, twice."""
    inventory = request.config.getoption("ansible_inventory")
    return Machine(f"prepare-{request.param}", inventory)

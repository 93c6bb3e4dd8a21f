# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, and the image that is wrong on them."""

from __future__ import annotations

import typing as t

import pytest

from tests import lab
from tests.plays import Machine, TaskResult, by_fixture, spread

MACHINES = {"plain": "faults-plain", "watched": "faults-watched"}
KERNEL = "/boot/vmlinuz-virt"
JUMP = "/var/lib/alpinefleet-kexec/jump"


class Host(Machine):
    """A machine on which something goes wrong, and that must be up again by itself."""

    def reboot(self, *options: str, **arguments: t.Any) -> TaskResult:
        """Reboot it, whatever became of an earlier jump."""
        return self.module("kexec_reboot", *options, ignore_reasons=["kexec_hung"], **arguments)

    def shell(self, command: str) -> str:
        return lab.shell(lab.find(self.name), command)

    def boot_id(self) -> str:
        return self.read("/proc/sys/kernel/random/boot_id")


# xdist looks for the groups at the same time.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spread(items, by_fixture(MACHINES))


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest) -> t.Callable[[str], Host]:
    inventory = request.config.getoption("ansible_inventory")
    return lambda name: Host(name, inventory)


@pytest.fixture(scope="session")
def plain(host: t.Callable[[str], Host]) -> Host:
    """No watchdog, and none of the services."""
    return host(MACHINES["plain"])


@pytest.fixture(scope="session")
def watched(host: t.Callable[[str], Host]) -> Host:
    """A watchdog that runs on over the jump, and the services that feed it."""
    return host(MACHINES["watched"])

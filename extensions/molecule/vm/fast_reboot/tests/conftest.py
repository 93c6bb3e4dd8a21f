# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, and what goes wrong on them."""

from __future__ import annotations

import typing as t

import pytest

from tests import lab
from tests.plays import Machine, TaskResult, by_fixture, spread

MACHINES = {
    "unlocked": "reboot-open",
    "broken": "reboot-open",
    "parallel": "reboot-parallel",
    "locked": "reboot-locked",
    "watched": "reboot-watched",
}
KERNEL = "/boot/vmlinuz-virt"
JUMP = "/var/lib/alpinefleet-kexec/jump"


class Host(Machine):
    """A machine that is rebooted, and must be up again afterwards."""

    def reboot(self, *options: str, **arguments: t.Any) -> TaskResult:
        """Reboot it, whatever became of an earlier jump."""
        return self.module("kexec_reboot", *options, ignore_reasons=["kexec_hung"], **arguments)

    def console(self) -> str:
        return lab.console(lab.find(self.name))

    def forget(self) -> None:
        """Have it remember no jump, so that the next test finds it able."""
        self.host.check_output("rm -f %s", JUMP)


# xdist looks for the groups at the same time.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    spread(items, by_fixture(MACHINES))


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest) -> t.Callable[[str], Host]:
    """Return the machine of a fixture."""
    inventory = request.config.getoption("ansible_inventory")
    return lambda fixture: Host(MACHINES[fixture], inventory)


@pytest.fixture(scope="session")
def unlocked(host: t.Callable[[str], Host]) -> Host:
    return host("unlocked")


@pytest.fixture(scope="session")
def parallel(host: t.Callable[[str], Host]) -> Host:
    """Its services start and stop side by side."""
    return host("parallel")


@pytest.fixture(scope="session")
def locked(host: t.Callable[[str], Host]) -> Host:
    """Its kernel locks kexec, as Alpine's do by default."""
    return host("locked")


@pytest.fixture(scope="session")
def watched(host: t.Callable[[str], Host]) -> Host:
    """A watchdog that runs on over the jump, and the services that feed it."""
    return host("watched")

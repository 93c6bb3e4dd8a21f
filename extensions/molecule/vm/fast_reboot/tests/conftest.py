# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, and what goes wrong on them."""

from __future__ import annotations

import typing as t

import pytest

from tests import lab
from tests.plays import Machine, Supply, TaskResult

KERNEL = "/boot/vmlinuz-virt"
JUMP = "/var/lib/alpinefleet-kexec/jump"


class Host(Machine):
    """A machine that is rebooted."""

    def reboot(self, *options: str, **arguments: t.Any) -> TaskResult:
        return self.module("kexec_reboot", *options, **arguments)

    def console(self) -> str:
        return lab.console(lab.find(self.name))


@pytest.fixture
def unlocked(machines: Supply) -> Host:
    """An image is loaded."""
    return machines.take(Host, "unlocked")


@pytest.fixture
def parallel(machines: Supply) -> Host:
    """Its services start and stop side by side."""
    return machines.take(Host, "parallel")


@pytest.fixture
def locked(machines: Supply) -> Host:
    """Its kernel locks kexec, as Alpine's do by default."""
    return machines.take(Host, "locked")


@pytest.fixture
def watched(machines: Supply) -> Host:
    """A watchdog that runs on over the jump, and the services that feed it."""
    return machines.take(Host, "watched")

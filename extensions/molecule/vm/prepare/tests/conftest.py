# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, one for each boot loader, from power-on to a prepared host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import lab
from tests.plays import EXHAUSTIVE, Machine, PlayRun, State, Supply

# Most machines of the other scenarios boot by extlinux.
LOADERS = ("extlinux", "grub", "grub-efi") if EXHAUSTIVE else ("grub-efi",)
CONVERGE = Path(__file__).parents[1] / "converge.yml"
AS_INSTALLED = (
    'test "$(cat /proc/sys/kernel/kexec_load_disabled)" = 1 &&'
    " ! command -v python3 && ! command -v kexec && echo as installed"
)


class Host(Machine):
    """A machine that is prepared."""

    def boots(self) -> int:
        """How often a system was started, by the serial console."""
        return lab.console(lab.find(self.name)).count("is starting up Linux")


@dataclass(frozen=True)
class Prepared:
    """What a machine was after its first boot, each run of prepare.yml, and what it was then."""

    loader: str
    host: Host
    found: str
    bare: State
    foretold: PlayRun
    still_bare: State
    first: PlayRun
    second: PlayRun
    boots: int
    cmdline: str
    lock: str
    loader_type: str
    uefi: bool
    state: State


# A worker has all tests of a boot loader.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec: t.Any = getattr(item, "callspec", None)
        item.add_marker(pytest.mark.xdist_group(callspec.params["prepared"]))


@pytest.fixture(scope="module", params=LOADERS)
def prepared(request: pytest.FixtureRequest, shared_machines: Supply) -> Prepared:
    """Ask in check mode, then prepare a machine as Alpine installs it, twice, and look at it."""
    host = shared_machines.boot(Host, request.param)
    found = lab.shell(lab.find(host.name), AS_INSTALLED)
    bare = host.state()
    foretold = host.play(CONVERGE, "--check", "--diff")
    still_bare = host.state()
    runs = [host.play(CONVERGE) for _number in range(2)]
    assert [run.rc for run in runs] == [0, 0], [run.output for run in runs]
    return Prepared(
        loader=request.param,
        host=host,
        found=found,
        bare=bare,
        foretold=foretold,
        still_bare=still_bare,
        first=runs[0],
        second=runs[1],
        boots=host.boots(),
        cmdline=host.read("/proc/cmdline"),
        lock=host.read("/proc/sys/kernel/kexec_load_disabled"),
        loader_type=host.read("/proc/sys/kernel/bootloader_type"),
        uefi=host.host.file("/sys/firmware/efi").exists,
        state=host.state(),
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whenever the power fails, firmware boots the good kernel or the new one, whole, with its modules."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests import lab
from tests.lab.power.judge import OK, Image, Known
from tests.lab.power.walk import Run, prefixes, report, seen_after
from tests.plays import WRITTEN_BACK, Cuts, Supply, image_of, only_in_full

from .conftest import LOADERS, Host
from .test_failures import CHECK
from .test_killed import STATES, reached
from .variables import ABSENT, COLD_PROOF, FORCE, KERNEL_UPGRADE, NEW, OLD, PLAIN, SLOTS

pytestmark = [only_in_full, pytest.mark.long]

BOOTS = 20
INSTALLED = ("/boot/vmlinuz-virt", "/boot/initramfs-virt")
# What firmware may boot, by the release: a slot or what apk has.
RELEASES = {OLD, NEW}


class Upgrades:
    """A host whose writes are logged, and all kernels that were ever meant to be booted."""

    def __init__(self, machines: Supply, loader: str) -> None:
        self.host = machines.take(Host, f"logged-{loader}")
        self.cuts = Cuts(self.host, loader)
        self.images: dict[Image, str] = {}

    def note_slots(self) -> None:
        for slot in self.host.slots().names:
            found = image_of(self.host, f"{SLOTS}/{slot}/linux", f"{SLOTS}/{slot}/initrd")
            self.images[found] = slot.rsplit("-", 1)[0]

    def note_installed(self) -> None:
        """Let what apk has be booted, too: before there are slots, and after."""
        self.images[image_of(self.host, *INSTALLED)] = self.host.release()

    def judge(self) -> list[Run]:
        self.host.host.check_output(WRITTEN_BACK)
        return self.cuts.judge(Known(None, self.images))


def bad(runs: list[Run]) -> list[Run]:
    codes = [(run, {run.sight.boot_loader.code, run.sight.kernel.code}) for run in runs]
    return [run for run, found in codes if found != {OK}]


def booted(runs: list[Run]) -> list[str]:
    """What the boot loader would start, one after the other."""
    names = [run.sight.boot_loader.image for run in runs]
    return [name for name, last in zip(names, [None, *names], strict=False) if name != last]


def boots_whole(machines: Supply, seen: Upgrades, runs: list[Run], folder: Path) -> None:
    """Boot disks of some moments: the kernel is the one that was foretold, with its modules."""
    seed = random.randrange(1 << 32)
    told = report(runs, seed)
    print(told)
    for count in prefixes(runs, seed, BOOTS):
        foretold = seen_after(runs, count).boot_loader.image
        host = seen.cuts.boot(machines, count, folder)
        assert host.release() == foretold, f"after {count} entries of\n{told}"
        assert host.lost_modules() == "", f"after {count} entries of\n{told}"
        machines.down(host)


def holds(machines: Supply, seen: Upgrades, expected: tuple[list[str], ...], folder: Path) -> None:
    """Each moment boots something whole, one kernel after the other as expected."""
    seen.note_slots()
    runs = seen.judge()
    assert bad(runs) == [], report(runs, 0)
    assert booted(runs) in expected, report(runs, 0)
    boots_whole(machines, seen, runs, folder)


def logged(machines: Supply, loader: str) -> Upgrades:
    seen = Upgrades(machines, loader)
    seen.note_slots()
    return seen


@pytest.mark.parametrize("loader", LOADERS)
def test_each_moment_of_an_upgrade_boots_one_of_both_kernels(
    machines: Supply, tmp_path: Path, loader: str
) -> None:
    seen = logged(machines, loader)
    seen.host.apk_upgrade()
    done = seen.host.upgrade(**COLD_PROOF)
    assert done.rc == 0, done.output
    # The new one is ordered once for its cold proof, then taken back, and then the default.
    holds(machines, seen, ([OLD, NEW], [OLD, NEW, OLD, NEW]), tmp_path)


@pytest.mark.parametrize("loader", LOADERS)
def test_each_moment_of_an_end_by_hand_boots_what_was_good(
    machines: Supply, tmp_path: Path, loader: str
) -> None:
    """Apk upgrades, and somebody makes the menu anew by hand."""
    seen = logged(machines, loader)
    seen.host.apk_upgrade()
    seen.host.host.check_output({"extlinux": "update-extlinux", "grub-efi": "update-grub"}[loader])
    holds(machines, seen, ([OLD],), tmp_path)


@pytest.mark.parametrize("loader", LOADERS)
def test_each_moment_of_a_roll_back_boots_what_was_good(
    machines: Supply, tmp_path: Path, loader: str
) -> None:
    seen = logged(machines, loader)
    seen.host.apk_upgrade()
    seen.host.host.check_output("sh -c %s", CHECK)
    failed = seen.host.upgrade()
    assert failed.rc != 0
    assert seen.host.trial()["cause"] == "required_check"
    holds(machines, seen, ([OLD],), tmp_path)


@pytest.mark.parametrize("loader", LOADERS)
def test_each_moment_of_the_way_back_boots_the_kernel(
    machines: Supply, tmp_path: Path, loader: str
) -> None:
    seen = logged(machines, loader)
    seen.note_installed()
    done = seen.host.upgrade(**ABSENT)
    assert done.rc == 0, done.output
    holds(machines, seen, ([OLD],), tmp_path)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("state", STATES)
def test_power_cut_at_a_step_of_the_journal_is_finished_by_the_next_run(
    machines: Supply, loader: str, state: str
) -> None:
    host = machines.take(Host, loader)
    host.apk_upgrade()

    def cut() -> None:
        reached(host, state)
        lab.pull_plug(host.name)

    host.kill_play(KERNEL_UPGRADE, cut, **PLAIN)
    lab.power_on(host.name, 600, lab.Progress(quiet=True))
    assert host.release() in RELEASES
    assert host.lost_modules() == ""
    run = host.upgrade()
    assert run.rc == 0, run.output
    if state == "on_trial":
        # It looks like a kernel that hangs without a watchdog. That is undone, and not tried again by itself.
        assert (host.release(), host.trial()["cause"]) == (OLD, "unknown")
        run = host.upgrade(**FORCE)
        assert run.rc == 0, run.output
    # Before it and after it a cut is no fault of the kernel.
    assert (host.release(), host.trial()["state"]) == (NEW, "committed")
    assert host.reboot() == "firmware"
    assert host.release() == NEW

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel is upgraded by hand and firmware boots the old one; a trial makes it the one that firmware boots."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest

from tests import lab
from tests.plays import EXHAUSTIVE, PlayRun, Supply

from .conftest import LOADERS, Host, Slots, take
from .variables import NEW, OLD, RESTORE

pytestmark = pytest.mark.long


class Boot(t.NamedTuple):
    """How a boot began, and what it is."""

    began: lab.Ending
    release: str
    slot: str
    lost_modules: str


@dataclass(frozen=True)
class Upgraded:
    """A host that was upgraded, and what it was at each step."""

    host: Host
    start: Slots
    behind: Slots
    """After apk's upgrade, when nothing was rebooted."""
    lost_before_reboot: str
    by_hand: Boot
    """The boot through firmware after apk's upgrade."""
    run: PlayRun
    trial: dict[str, t.Any]
    committed: Slots
    after: Boot
    """The boot through firmware after the playbook."""
    back: Boot
    """The boot of the entry that the old slot still has."""
    again: PlayRun


def boot(host: Host, began: lab.Ending) -> Boot:
    return Boot(began, host.release(), host.slot_parameter(), host.lost_modules())


def one_worker(loader: str) -> t.Any:
    """The tests of a boot loader look at one machine."""
    return pytest.param(loader, id=loader, marks=pytest.mark.xdist_group(f"upgrade {loader}"))


@pytest.fixture(scope="module", params=map(one_worker, LOADERS if EXHAUSTIVE else LOADERS[:1]))
def upgraded(request: pytest.FixtureRequest, shared_machines: Supply) -> Upgraded:
    loader = request.param
    host = take(shared_machines, loader)
    start = host.slots()
    host.apk_upgrade()
    host.host.check_output(RESTORE)
    behind, lost = host.slots(), host.lost_modules()
    by_hand = boot(host, host.reboot())
    run = host.upgrade()
    trial, committed = host.trial(), host.slots()
    after = boot(host, host.reboot())
    back = boot(host, host.boot_once(loader, start.good or "there was none"))
    host.reboot()
    again = host.upgrade()
    return Upgraded(host, start, behind, lost, by_hand, run, trial, committed, after, back, again)


def test_first_slot_is_what_was_installed(upgraded: Upgraded) -> None:
    good = upgraded.start.good
    assert good is not None
    assert good.startswith(f"{OLD}-")
    assert upgraded.start.names == {good}
    assert upgraded.start.candidate["differs"] is False


def test_upgrade_by_hand_changes_only_what_there_is_to_try(upgraded: Upgraded) -> None:
    assert upgraded.behind.good == upgraded.start.good
    assert upgraded.behind.candidate["differs"] is True
    assert upgraded.behind.candidate["id"].startswith(f"{NEW}-")


def test_modules_are_given_back_without_a_reboot(upgraded: Upgraded) -> None:
    assert upgraded.lost_before_reboot == ""


def test_firmware_boots_the_old_kernel_after_an_upgrade_by_hand(upgraded: Upgraded) -> None:
    assert upgraded.by_hand[:3] == ("firmware", OLD, upgraded.start.good)


def test_old_kernel_has_all_its_modules_though_apk_removed_them(upgraded: Upgraded) -> None:
    assert upgraded.by_hand.lost_modules == ""


def test_playbook_tries_the_new_kernel_and_commits_it(upgraded: Upgraded) -> None:
    assert upgraded.run.rc == 0, upgraded.run.output
    assert (upgraded.run.reboot["rebooted"], upgraded.run.reboot["method"]) == (True, "kexec")
    assert upgraded.run.reboot["release"] == {"before": OLD, "after": NEW}
    assert upgraded.trial["state"] == "committed"
    assert upgraded.trial["good"] == upgraded.committed.good
    assert upgraded.committed.good == upgraded.behind.candidate["id"]
    assert upgraded.committed.previous == upgraded.start.good


def test_firmware_boots_the_new_kernel_after_the_commit(upgraded: Upgraded) -> None:
    assert upgraded.after == ("firmware", NEW, upgraded.committed.good, "")


def test_old_kernel_still_boots_from_its_entry_once(upgraded: Upgraded) -> None:
    assert upgraded.back == ("firmware", OLD, upgraded.start.good, "")


def test_second_run_changes_nothing(upgraded: Upgraded) -> None:
    assert upgraded.again.rc == 0, upgraded.again.output
    assert upgraded.again.changed == []
    now = upgraded.host.slots()
    assert (now.good, now.previous, now.names) == upgraded.committed[:2] + upgraded.committed[3:4]
    assert upgraded.host.release() == NEW
    assert upgraded.host.trial()["state"] in {"committed", "none"}

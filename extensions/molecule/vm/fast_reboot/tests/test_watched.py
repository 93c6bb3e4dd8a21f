# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New systems that hang or are never reached: the host takes itself back to firmware."""

from __future__ import annotations

import typing as t

import pytest

from tests import lab
from tests.plays import HANG, Supply, TaskResult, initramfs_with, only_in_full

from .conftest import JUMP, KERNEL, Host
from .test_jump import fell_back

HANGING = "/boot/initramfs-hanging"
WATCHDOG_STATE = "/sys/class/watchdog/watchdog0/state"
# Longer than the jump and the new system take until they feed it, and are confirmed: on a busy
# machine more than 30 seconds were measured, and more than 60.
WATCHDOG_SECONDS = 120
CONFIRM_SECONDS = 120
# For what never comes that far: longer than the services take to stop.
HANGING_SECONDS = 60
UNCONFIRMED_SECONDS = 30


# What a host is after a jump that hung: three tests go on from there, each on its own.
HUNG = pytest.mark.xdist_group("hung")


class Hung(t.NamedTuple):
    """A jump that hung, as it was told and seen, and the host that is back."""

    protection: dict[str, t.Any]
    task: TaskResult
    console: str
    host: lab.Snapshot


@pytest.fixture(scope="module")
def hung(shared_machines: Supply, tmp_path_factory: pytest.TempPathFactory) -> Hung:
    """Boot a kernel that is up and never gets any further."""
    host = shared_machines.take(Host, "watched")
    host.host.check_output("sh -c %s", initramfs_with(HANG, HANGING))
    protection = host.module("kexec_preflight").result["protection"]
    seen = len(host.console())
    image = {"kernel": KERNEL, "initramfs": [HANGING]}
    task = host.reboot(**image, watchdog_timeout=HANGING_SECONDS)
    console, folder = host.console()[seen:], tmp_path_factory.mktemp("hung")
    return Hung(protection, task, console, lab.take(lab.find(host.name), folder))


@pytest.fixture
def after_hang(machines: Supply, hung: Hung) -> Host:
    return machines.take(Host, "watched", hung.host)


@HUNG
def test_what_hangs_is_reset_by_the_watchdog(hung: Hung) -> None:
    driver = hung.protection["watchdog"]["driver"]
    assert (hung.protection["hang"], driver) == (True, "i6300esb")
    fell_back(hung.task)
    assert "It hangs" in hung.console


@HUNG
def test_host_remembers_and_would_go_through_firmware(after_hang: Host) -> None:
    task = after_hang.module("kexec_reboot", "--check")
    assert (task.result["changed"], task.result["method"]) == (True, "firmware")
    assert task.codes[0] == "kexec_hung"


@only_in_full
@HUNG
def test_good_jump_clears_it_and_stops_the_watchdog(after_hang: Host) -> None:
    good_jump(after_hang)
    assert not after_hang.host.file(JUMP).exists
    # Nothing feeds it any more, and nobody has to.
    assert after_hang.host.run("pgrep -f [/]dev/watchdog").rc == 1
    assert after_hang.read(WATCHDOG_STATE) == "inactive"


def good_jump(host: Host) -> None:
    """Reboot through kexec, whatever became of the last jump."""
    limits = {"watchdog_timeout": WATCHDOG_SECONDS, "confirm_timeout": CONFIRM_SECONDS}
    task = host.reboot(**limits, ignore_reasons=["kexec_hung"])
    assert (task.result["rebooted"], task.result["method"]) == (True, "kexec"), task.result


@only_in_full
def test_host_that_was_confirmed_stays_up(watched: Host) -> None:
    good_jump(watched)
    before = watched.boot_id()
    lasts = WATCHDOG_SECONDS + CONFIRM_SECONDS
    wait = "while [ $(cut -d. -f1 /proc/uptime) -lt %d ]; do sleep 1; done"
    watched.host.check_output("sh -c %s", wait % lasts)
    assert watched.boot_id() == before


# A service refuses to start where its name is on the command line.
REFUSE = 'if grep -qw "no-$RC_SVCNAME" /proc/cmdline; then exit 1; fi'
UNREACHED = {"sshd never starts": "sshd", "network never comes": "networking"}


@only_in_full
@pytest.mark.long
@pytest.mark.parametrize("case", UNREACHED)
def test_what_is_never_reached_leaves_by_itself(watched: Host, case: str) -> None:
    service = UNREACHED[case]
    watched.host.check_output("echo %s >>/etc/conf.d/%s", REFUSE, service)
    arguments = {"cmdline_append": [f"no-{service}"], "confirm_timeout": UNCONFIRMED_SECONDS}
    fell_back(watched.reboot(**arguments))
    assert "kexec_hung" in watched.module("kexec_preflight").codes

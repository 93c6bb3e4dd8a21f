# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New systems that hang or are never reached: the host takes itself back to firmware."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import EXHAUSTIVE, HANG, initramfs_with, only_in_full

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


@pytest.fixture
def hanging(watched: Host) -> t.Iterator[dict[str, t.Any]]:
    """An image whose kernel is up and never gets any further."""
    watched.host.check_output("sh -c %s", initramfs_with(HANG, HANGING))
    yield {"kernel": KERNEL, "initramfs": [HANGING]}
    watched.host.check_output("rm %s", HANGING)


def test_what_hangs_is_reset_by_the_watchdog(watched: Host, hanging: dict[str, t.Any]) -> None:
    protection = watched.module("kexec_preflight").result["protection"]
    assert (protection["hang"], protection["watchdog"]["driver"]) == (True, "i6300esb")
    seen = len(watched.console())
    fell_back(watched.reboot(**hanging, watchdog_timeout=HANGING_SECONDS))
    assert "It hangs" in watched.console()[seen:]


def test_host_remembers_and_would_go_through_firmware(watched: Host) -> None:
    task = watched.module("kexec_reboot", "--check")
    assert (task.result["changed"], task.result["method"]) == (True, "firmware")
    assert task.codes[0] == "kexec_hung"


def test_good_jump_clears_it_and_stops_the_watchdog(watched: Host) -> None:
    task = watched.reboot(watchdog_timeout=WATCHDOG_SECONDS, confirm_timeout=CONFIRM_SECONDS)
    assert (task.result["rebooted"], task.result["method"]) == (True, "kexec"), task.result
    assert not watched.host.file(JUMP).exists
    # Nothing feeds it any more, and nobody has to.
    assert watched.host.run("pgrep -f [/]dev/watchdog").rc == 1
    assert watched.read(WATCHDOG_STATE) == "inactive"


@only_in_full
def test_host_that_was_confirmed_stays_up(watched: Host) -> None:
    before = watched.boot_id()
    lasts = WATCHDOG_SECONDS + CONFIRM_SECONDS
    wait = "while [ $(cut -d. -f1 /proc/uptime) -lt %d ]; do sleep 1; done"
    watched.host.check_output("sh -c %s", wait % lasts)
    assert watched.boot_id() == before


# A service refuses to start where its name is on the command line.
REFUSE = 'if grep -qw "no-$RC_SVCNAME" /proc/cmdline; then exit 1; fi'
UNREACHED = {"sshd never starts": "sshd", "network never comes": "networking"}
CASES = UNREACHED if EXHAUSTIVE else ["sshd never starts"]


@pytest.fixture
def refusing(watched: Host, request: pytest.FixtureRequest) -> t.Iterator[str]:
    """The parameter that keeps a service from starting."""
    service = UNREACHED[request.param]
    watched.host.check_output("echo %s >>/etc/conf.d/%s", REFUSE, service)
    yield f"no-{service}"
    watched.host.check_output("sed -i '/grep -qw/d' /etc/conf.d/%s", service)


@pytest.mark.parametrize("refusing", CASES, indirect=True)
def test_what_is_never_reached_leaves_by_itself(watched: Host, refusing: str) -> None:
    fell_back(watched.reboot(cmdline_append=[refusing], confirm_timeout=UNCONFIRMED_SECONDS))
    assert "kexec_hung" in watched.module("kexec_preflight").codes

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task says of a host that does not do what was ordered."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from tests.hosts import FOR_EVER, Script
from tests.hosts.script import Port, Vanish

from .site import LOST_SECONDS, Site, failed, outcome, proven, quiet

# Room for the last login attempt, and for a slow machine.
SLACK = 4.0
MANY = 10_000


@pytest.mark.parametrize("vanish", t.get_args(Vanish))
def test_other_host_key_ends_the_wait_at_once(site: Site, vanish: Vanish) -> None:
    host = site.host(Script(new_host_key=True, vanish=vanish))
    task = site.reboot(reboot_timeout=40)
    assert outcome(task) == failed("host_key_changed", "down", rebooted=None)
    assert "HOST IDENTIFICATION HAS CHANGED" in task.result["last_error"]
    assert task.result["elapsed"] < 12
    assert host.journal.find("order")


def test_server_of_the_initramfs_is_waited_for_where_that_is_wanted(site: Site) -> None:
    host = site.host(Script(initramfs_server_for=5.0, refuses_logins_for=1.0))
    assert proven(site.reboot(other_host_key="wait", reboot_timeout=60), host)
    assert host.journal.find("unauthenticated")


def test_refused_logins_are_told_at_the_deadline(site: Site) -> None:
    site.host(Script(refuses_logins_for=FOR_EVER))
    task = site.reboot(reboot_timeout=6)
    assert outcome(task) == failed("authentication_refused", "down", rebooted=None)
    assert "Permission denied" in task.result["last_error"]
    assert task.result["elapsed"] < 6 + SLACK


def test_logins_that_are_refused_for_a_moment_are_waited_for(site: Site) -> None:
    host = site.host(Script(refuses_logins_for=2.0))
    assert proven(site.reboot(), host)


def test_host_that_does_not_go_down(site: Site) -> None:
    host = site.host(Script(goes_down=False))
    task = site.reboot(reboot_timeout=5)
    assert outcome(task) == failed("did_not_go_down", "shutdown", rebooted=None)
    assert "shutdown is at shutdown" in task.result["last_error"]
    assert task.result["changed"]
    assert 5 <= task.result["elapsed"] < 5 + SLACK
    assert quiet(host, 1.5)


@pytest.mark.parametrize("port", t.get_args(Port))
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
def test_host_that_does_not_return_is_failed_and_not_unreachable(
    site: Site, port: Port, *, pipelining: bool
) -> None:
    site.variables["ansible_pipelining"] = pipelining
    site.host(Script(returns=False, port=port))
    task = site.reboot(reboot_timeout=LOST_SECONDS)
    assert outcome(task) == failed("did_not_return", "down", rebooted=None)
    assert task.result["boot_id"]["after"] is None
    assert LOST_SECONDS <= task.result["elapsed"] < LOST_SECONDS + SLACK


def test_lost_order(site: Site) -> None:
    host = site.host(Script(trigger="lost"))
    task = site.reboot()
    assert outcome(task) == failed("trigger_lost", "trigger", rebooted=False)
    assert not task.result["reason"]["message"].startswith("The host may not")
    assert host.boot.number == 0


def test_order_that_is_carried_out_late_is_waited_for(site: Site) -> None:
    host = site.host(Script(trigger="late", late=12.0))
    assert proven(site.reboot(), host)


def test_order_that_comes_too_late_is_void(site: Site) -> None:
    host = site.host(Script(trigger="late", late=FOR_EVER))
    task = site.reboot()
    assert outcome(task) == failed("trigger_lost", "trigger", rebooted=False)
    assert host.journal.wait_until(lambda: host.stage.endswith(" expired"), seconds=SLACK)
    assert host.boot.number == 0


def test_host_that_may_still_go_down_after_the_deadline_is_not_called_untouched(
    site: Site,
) -> None:
    host = site.host(Script(trigger="late", late=5.0))
    task = site.reboot(reboot_timeout=3)
    assert outcome(task) == failed("did_not_go_down", "shutdown", rebooted=None)
    host.journal.wait_for("up")


def test_refused_order(site: Site) -> None:
    host = site.host(Script(trigger="refused"))
    task = site.reboot()
    assert outcome(task) == failed("trigger_failed", "trigger", rebooted=False)
    assert task.result["rc"] == 126
    assert "setsid: Permission denied" in task.result["stdout"] + task.result["stderr"]
    assert host.boot.number == 0


def test_lock_that_forbids_kexec(site: Site) -> None:
    host = site.host(Script(able=False))
    task = site.reboot(fallback="fail")
    assert outcome(task) == failed("kexec_locked", "preflight", rebooted=False)
    assert not host.journal.find("order")


# --- What came up instead ------------------------------------------------------------------

ELSE = [
    pytest.param(Script(comes_up="other_image"), "wrong_method", None, id="other image"),
    pytest.param(Script(comes_up="firmware"), "wrong_method", "firmware", id="firmware"),
    pytest.param(Script(release="6.1.2-0-virt"), "wrong_kernel", "kexec", id="other kernel"),
]


@pytest.mark.parametrize(("script", "code", "method"), ELSE)
def test_other_system_than_the_one_ordered(
    site: Site, script: Script, code: str, method: str | None
) -> None:
    host = site.host(script)
    task = site.reboot(fallback="fail")
    assert outcome(task) == failed(code, "verify", rebooted=True)
    assert task.result["method"] == method
    assert task.result["boot_id"]["after"] == host.boot.boot_id


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(Script(comes_up="firmware"), "kexec_not_proven", id="after a jump"),
        pytest.param(Script(able=False), "kexec_locked", id="ordered"),
    ],
)
def test_firmware_instead_where_that_is_accepted(site: Site, script: Script, code: str) -> None:
    host = site.host(dataclasses.replace(script, firmware_downtime=2.0))
    task = site.reboot()
    assert proven(task, host, "firmware")
    assert code in task.codes


# --- The test command ----------------------------------------------------------------------


def test_test_command_is_repeated_until_it_succeeds(site: Site) -> None:
    host = site.host(Script(test_failures=2))
    assert proven(site.reboot(), host)
    assert host.journal.count("command", "whoami") == 3


def test_test_command_that_never_succeeds(site: Site) -> None:
    host = site.host(Script(test_failures=MANY))
    task = site.reboot(reboot_timeout=6)
    assert outcome(task) == failed("test_command_failed", "test_command", rebooted=True)
    assert task.result["boot_id"]["after"] == host.boot.boot_id
    assert task.result["elapsed"] < 6 + SLACK
    assert quiet(host, 1.5)


# --- The confirmation ----------------------------------------------------------------------


def test_new_system_is_told_that_it_works(site: Site) -> None:
    host = site.host()
    task = site.reboot()
    assert proven(task, host)
    assert [event.text for event in host.journal.find("confirmed")] == [task.result["token"]]


def test_new_system_that_cannot_be_told_that_it_works(site: Site) -> None:
    host = site.host(Script(can_be_confirmed=False))
    task = site.reboot(reboot_timeout=6)
    assert outcome(task) == failed("not_confirmed", "confirm", rebooted=True)
    assert task.result["boot_id"]["after"] == host.boot.boot_id
    assert task.result["elapsed"] < 6 + SLACK


def test_system_that_came_through_firmware_needs_no_confirmation(site: Site) -> None:
    host = site.host()
    assert proven(site.reboot(method="firmware"), host, "firmware")
    assert not host.journal.find("command", "confirm.sh")

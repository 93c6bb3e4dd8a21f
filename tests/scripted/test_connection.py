# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that is lost, at each moment of a reboot."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import FOR_EVER, Fault, Penalties, Script
from tests.hosts.script import Vanish

from .site import Site, failed, outcome, proven, raw, reboot

# As many in a row as a bad line may cut.
OFTEN = 3


def test_reset_during_the_module_is_unreachable_and_nothing_was_ordered(site: Site) -> None:
    host = site.host(Script(faults=(Fault("module"),)))
    task = site.reboot()
    assert task.status == "unreachable"
    assert not host.journal.find("order")
    assert host.boot.number == 0


def test_reset_before_the_order_is_taken(site: Site) -> None:
    host = site.host(Script(faults=(Fault("order"),)))
    task = site.reboot()
    assert outcome(task) == failed("trigger_lost", "trigger", rebooted=False)
    assert host.boot.number == 0


AFTER = [
    pytest.param(Fault("ordered"), id="order taken"),
    pytest.param(Fault("observe", times=OFTEN), id="shutdown"),
    pytest.param(Fault("observe", how="silence"), id="shutdown, then silence"),
    pytest.param(Fault("observe", times=OFTEN, boot=1), id="new system"),
    pytest.param(Fault("observe", how="silence", boot=1), id="new system, then silence"),
    pytest.param(Fault("test", times=OFTEN, boot=1), id="test command"),
    pytest.param(Fault("test", how="silence", boot=1), id="test command, then silence"),
    pytest.param(Fault("confirm", times=OFTEN, boot=1), id="confirmation"),
    pytest.param(Fault("confirm", how="silence", boot=1), id="confirmation, then silence"),
]


@pytest.mark.parametrize("fault", AFTER)
def test_connection_that_is_lost_after_the_order_costs_time_only(site: Site, fault: Fault) -> None:
    host = site.host(Script(faults=(fault,)))
    assert proven(site.reboot(), host)
    assert host.journal.count("order") == 1


def test_silence_at_the_deadline_does_not_outlive_it(site: Site) -> None:
    host = site.host(Script(faults=(Fault("test", how="silence", times=100, boot=1),)))
    task = site.reboot(reboot_timeout=6)
    assert outcome(task) == failed("test_command_failed", "test_command", rebooted=True)
    assert task.result["elapsed"] < 10
    assert host.boot.number == 1


# --- Too fast to be seen down, and too slow for those who count ----------------------------


@pytest.mark.parametrize("vanish", t.get_args(Vanish))
def test_reboot_that_is_too_fast_to_be_seen_is_proven(site: Site, vanish: Vanish) -> None:
    host = site.host(Script(shutdown=0.0, downtime=0.05, vanish=vanish))
    assert proven(site.reboot(), host)


def test_penalties_for_refused_logins_do_not_hide_that_they_were_refused(site: Site) -> None:
    host = site.host(Script(refuses_logins_for=FOR_EVER, penalties=Penalties()))
    task = site.reboot(reboot_timeout=12)
    assert outcome(task) == failed("authentication_refused", "down", rebooted=None)
    assert host.journal.count("penalised") > 0


def test_penalties_for_connections_without_a_login_do_not_lock_the_controller_out(
    site: Site,
) -> None:
    host = site.host(Script(shutdown=5.0, downtime=15.0, penalties=Penalties()))
    assert proven(site.reboot(), host)
    assert host.journal.count("penalised") == 0
    assert host.journal.count("unauthenticated") <= 1
    found_after = host.journal.find("command", "whoami")[-1].time - host.answered_at
    assert found_after < 3


# --- The connection that was there before --------------------------------------------------


@pytest.mark.parametrize("vanish", t.get_args(Vanish))
def test_shared_connection_to_the_system_before_is_not_used_again(
    site: Site, vanish: Vanish
) -> None:
    host = site.host(Script(vanish=vanish))
    run = site.plays({"tasks": [raw("Open"), reboot()]}, {"tasks": [raw("Next")]})
    assert run.rc == 0, run.output
    assert run.task("Next").status == "ok"
    assert proven(run.task("Reboot"), host)


def test_shared_connection_that_died_while_the_order_was_given_is_not_used_again(
    site: Site,
) -> None:
    host = site.host(Script(faults=(Fault("ordered", how="silence"),)))
    run = site.plays({"tasks": [raw("Open"), reboot()]}, {"tasks": [raw("Next")]})
    assert run.rc == 0, run.output
    assert proven(run.task("Reboot"), host)
    assert run.task("Next").status == "ok"


@pytest.mark.parametrize(
    ("pipelining", "limit"), [(True, 4), (False, 10)], ids=["pipelining", "files"]
)
def test_operations_until_the_order_are_fewer_than_those_of_core(
    site: Site, limit: int, *, pipelining: bool
) -> None:
    site.variables["ansible_pipelining"] = pipelining
    host = site.host()
    assert proven(site.reboot(), host)
    assert host.operations_before_order() < limit


# --- What a lost connection leaves behind --------------------------------------------------

HANGS = 4


@pytest.fixture
def tidy(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The sockets of the task are in the folder of the hosts, so that its clients are known."""
    monkeypatch.setenv("TMPDIR", str(site.hosts.folder))
    return site


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "alone"])
def test_host_that_falls_silent_under_the_module_does_not_hold_up_the_next_task(
    tidy: Site, *, shared: bool, pipelining: bool
) -> None:
    tidy.variables["ansible_pipelining"] = pipelining
    if not shared:
        tidy.variables["ansible_ssh_args"] = "-o ControlMaster=no"
    tidy.host(Script(faults=(Fault("module", how="silence"),)))
    task = {**reboot(reboot_timeout=HANGS), "ignore_errors": True}
    run = tidy.play([raw("Open"), task, raw("Next")])
    assert outcome(run.task("Reboot")) == failed("module_failed", "preflight", rebooted=False)
    assert run.task("Next").status == "ok"


def test_host_that_falls_silent_at_the_removal_of_files_does_not_hold_up_the_task(
    tidy: Site,
) -> None:
    tidy.variables["ansible_pipelining"] = False
    host = tidy.host(Script(faults=(Fault("removal", how="silence"),)))
    task = {**reboot(reboot_timeout=HANGS), "ignore_errors": True}
    run = tidy.play([task, raw("Next")])
    assert outcome(run.task("Reboot")) == failed("module_failed", "preflight", rebooted=False)
    assert run.task("Next").status == "ok"
    assert not host.journal.find("order")


def test_host_that_cuts_the_module_and_falls_silent_at_the_removal_does_not_hold_up_the_task(
    tidy: Site,
) -> None:
    tidy.variables["ansible_pipelining"] = False
    tidy.host(Script(faults=(Fault("module"), Fault("removal", how="silence"))))
    run = tidy.play([reboot(reboot_timeout=HANGS)])
    assert run.task("Reboot").status == "unreachable"


def test_keyword_of_the_task_leaves_no_dead_connection(tidy: Site) -> None:
    tidy.host(Script(faults=(Fault("module", how="silence"),)))
    task = {**reboot(), "timeout": HANGS, "ignore_errors": True}
    run = tidy.play([raw("Open"), task, raw("Next")])
    assert run.task("Reboot").status == "failed"
    assert run.task("Next").status == "ok"


def test_module_that_hangs_on_a_host_that_is_alive_leaves_its_connection_to_others(
    tidy: Site,
) -> None:
    pause = Fault("module", how="pause", pause=60.0)
    host = tidy.host(Script(faults=(pause,)))
    task = {**reboot(reboot_timeout=HANGS), "ignore_errors": True}
    run = tidy.play([raw("Open"), task, raw("Next")])
    assert outcome(run.task("Reboot")) == failed("module_failed", "preflight", rebooted=False)
    assert run.task("Next").status == "ok"
    assert host.journal.count("login") == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("module", how="silence"), id="module"),
        pytest.param(Fault("ordered", how="silence"), id="order taken"),
        pytest.param(Fault("observe", how="silence", times=100, boot=1), id="new system"),
        pytest.param(Fault("test", how="silence", times=100, boot=1), id="test command"),
        pytest.param(Fault("confirm", how="silence", times=100, boot=1), id="confirmation"),
        pytest.param(None, id="none"),
    ],
)
def test_no_client_outlives_the_task(tidy: Site, fault: Fault | None) -> None:
    tidy.host(Script(faults=() if fault is None else (fault,)))
    tidy.reboot(reboot_timeout=8)
    assert tidy.clients() == []


def test_command_that_hangs_does_not_outlive_the_task(tidy: Site) -> None:
    # Unlike a host that is gone, this one answers the client's own questions.
    pause = Fault("test", how="pause", pause=60.0, times=100, boot=1)
    tidy.host(Script(faults=(pause,)))
    task = tidy.reboot(reboot_timeout=6)
    assert outcome(task) == failed("test_command_failed", "test_command", rebooted=True)
    assert tidy.clients() == []

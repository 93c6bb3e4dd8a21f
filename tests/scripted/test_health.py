# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the task says of the health of a host that has come back."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import Script
from tests.hosts.script import Fault

from .site import Site, failed, outcome, proven, reboot

LACKS = Script(lacks=("crond",))
SLOW = Script(lacks=("crond",), lacks_times=2)
WANTED = {"commands": ["true"], "ports": [22], "timeout": 10}


@pytest.mark.parametrize("script", [Script(), SLOW], ids=["at once", "after a while"])
def test_host_that_is_well_is_done(site: Site, script: Script) -> None:
    host = site.host(script)
    assert proven(site.reboot(health=WANTED), host)


def test_host_that_is_not_well_says_what_is_wrong(site: Site) -> None:
    site.host(LACKS)
    health = {"commands": ["true", "nginx -t"], "ports": [22, 443], "timeout": 2}
    task = site.reboot(health=health)
    assert outcome(task) == failed("unhealthy", "health", rebooted=True)
    assert task.result["unhealthy"] == [
        "service crond",
        "command nginx -t: exit status 127: sh: nginx -t: not found",
        "port 443",
    ]
    assert task.result["method"] == "kexec"
    assert task.result["boot_id"]["after"] is not None


def test_what_ran_before_is_known_to_the_task_that_waits(site: Site) -> None:
    site.host(LACKS)
    order = {**reboot(wait=False, health={}), "register": "ordered"}
    wait = reboot(wait_for="{{ ordered.order }}", health={"timeout": 1})
    run = site.play([{**order, "name": "Order"}, {**wait, "name": "Wait"}])
    assert run.task("Order").result["order"]["services"] == ["crond", "sshd"]
    assert run.task("Wait").result["unhealthy"] == ["service crond"]


def test_order_of_a_task_that_asked_for_no_services_is_refused(site: Site) -> None:
    host = site.host()
    order = {**reboot(wait=False), "register": "ordered"}
    run = site.play([{**order, "name": "Order"}, reboot(wait_for="{{ ordered.order }}", health={})])
    assert outcome(run.task("Reboot")) == failed("argument_invalid", "preflight", rebooted=None)
    # What was ordered goes on.
    assert host.journal.find("order")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(services=None), id="no OpenRC"),
        pytest.param(Script(faults=(Fault("examine", "reset", boot=0),)), id="no answer"),
    ],
)
def test_host_that_cannot_tell_what_runs_is_not_left(site: Site, script: Script) -> None:
    host = site.host(script)
    task = site.reboot(health={})
    assert outcome(task) == failed("services_unknown", "preflight", rebooted=False)
    assert not host.journal.find("order")


def test_host_without_openrc_may_be_asked_for_the_rest(site: Site) -> None:
    host = site.host(Script(services=None))
    assert proven(site.reboot(health={"services": False, "ports": [22]}), host)


@pytest.mark.parametrize("how", ["reset", "silence"])
def test_one_connection_that_breaks_makes_no_host_unhealthy(site: Site, how: t.Any) -> None:
    host = site.host(Script(faults=(Fault("examine", how, boot=1),)))
    assert proven(site.reboot(health={"timeout": 30}), host)


def test_health_is_refused_before_the_host_is_asked(site: Site) -> None:
    host = site.host()
    task = site.reboot(health={"ports": [99999]})
    assert outcome(task) == failed("argument_invalid", "preflight", rebooted=False)
    assert not host.journal.find("order")
    assert not host.journal.find("loaded")


def test_check_mode_asks_for_no_health(site: Site) -> None:
    host = site.host(LACKS)
    task = site.reboot("--check", health={})
    assert (task.status, task.result["rebooted"]) == ("ok", False)
    assert task.result["changed"]
    assert not host.journal.find("order")

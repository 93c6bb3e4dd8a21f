# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reboot that one task orders and another waits for."""

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import Script

from .site import LOST_SECONDS, Site, Values, failed, outcome, proven, raw, reboot


def wait(order: str, **arguments: t.Any) -> Values:
    return {**reboot(wait_for=order, **arguments), "name": "Wait"}


ORDER = {**reboot(wait=False), "register": "ordered"}
WAIT = wait("{{ ordered.order }}")


def test_order_is_proven_by_another_task(site: Site) -> None:
    host = site.host(Script(shutdown=1.0))
    run = site.play([ORDER, WAIT, raw("Next")])
    assert run.rc == 0, run.output
    ordered, proof = run.task("Reboot").result, run.task("Wait").result
    assert (ordered["changed"], ordered["rebooted"], ordered["method"]) == (True, None, "kexec")
    assert ordered["order"]["acknowledged"] is True
    assert (proof["changed"], proof["rebooted"], proof["method"]) == (False, True, "kexec")
    assert proof["boot_id"] == {"before": ordered["boot_id"]["before"], "after": host.boot.boot_id}
    assert host.journal.count("order") == 1


def test_order_that_the_host_refuses_says_why(site: Site) -> None:
    site.host(Script(trigger="refused"))
    run = site.play([ORDER, WAIT])
    ordered = run.task("Reboot").result
    assert (ordered["rebooted"], ordered["said"]["rc"]) == (None, 126)
    assert "setsid: Permission denied" in ordered["said"]["stdout"] + ordered["said"]["stderr"]
    assert outcome(run.task("Wait")) == failed("trigger_lost", "trigger", rebooted=False)


def test_order_whose_host_is_back_already_is_proven(site: Site) -> None:
    host = site.host(Script(downtime=0.5))
    pause = {"name": "Pause", "ansible.builtin.pause": {"seconds": 3}}
    run = site.play([ORDER, pause, WAIT])
    assert run.rc == 0, run.output
    assert run.task("Wait").result["rebooted"] is True
    assert run.task("Wait").result["downtime"] is None
    assert host.boot.number == 1


def test_many_hosts_go_down_together(site: Site) -> None:
    hosts = [site.hosts.add(f"web{number}", Script(downtime=4.0)) for number in range(4)]
    run = site.play([ORDER, WAIT], "--forks=1")
    assert run.rc == 0, run.output
    down = [host.journal.find("down")[0].time for host in hosts]
    up = [host.answered_at for host in hosts]
    assert max(down) < min(up)
    assert all(host.boot.number == 1 for host in hosts)


def test_order_that_no_host_comes_back_from(site: Site) -> None:
    site.host(Script(returns=False))
    run = site.play([ORDER, wait("{{ ordered.order }}", reboot_timeout=LOST_SECONDS)])
    task = run.task("Wait")
    assert outcome(task) == failed("did_not_return", "down", rebooted=None)
    assert task.result["elapsed"] < LOST_SECONDS + 4


def test_host_that_another_order_leads_is_waited_for(site: Site) -> None:
    site.host(Script(comes_up="other_image"))
    task = site.play([ORDER, WAIT]).task("Wait")
    assert outcome(task) == failed("wrong_method", "verify", rebooted=True)


# --- Whose order it is ---------------------------------------------------------------------


def test_order_of_another_host_is_refused(site: Site) -> None:
    first, second = site.hosts.add("web1"), site.hosts.add("web2")
    run = site.play([{**ORDER, "run_once": True}, WAIT])
    web1, web2 = (task for task in run.tasks if task.task == "Wait")
    if web1.host != "web1":
        web1, web2 = web2, web1
    assert proven(web1, first)
    assert outcome(web2) == failed("argument_invalid", "preflight", rebooted=None)
    assert "'web1', and this is 'web2'" in web2.result["reason"]["message"]
    assert second.boot.number == 0


def test_boot_that_runs_is_no_new_one_however_it_is_written(site: Site) -> None:
    host = site.host(Script(trigger="lost"))
    order = "{{ ordered.order | combine({'boot_id': ordered.order.boot_id | upper}) }}"
    task = site.play([ORDER, wait(order)]).task("Wait")
    assert outcome(task) == failed("trigger_lost", "trigger", rebooted=False)
    assert host.boot.number == 0


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_machine_that_takes_the_place_of_another_is_not_the_one_that_left(
    site: Site, method: str
) -> None:
    site.host(Script(other_machine=True))
    task = site.reboot(method=method)
    assert outcome(task) == failed("other_host", "verify", rebooted=None)

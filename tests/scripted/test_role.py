# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role fast_reboot makes of a host that does not do what was ordered."""

from __future__ import annotations

import typing as t

from tests.hosts import Fault, Script
from tests.plays import PlayRun

from .site import LOST_SECONDS, Site

FAIL = "end | Fail where it failed"
MANY = 10_000


def told(run: PlayRun, host: str) -> tuple[t.Any, ...]:
    """What the role tells of a host: why and where it failed, and what is still drained."""
    result = run.reboot_of(host)
    reason = result["reason"] or {}
    return reason.get("code"), result["stage"], result["rebooted"], result["drained"]


def done(run: PlayRun, host: str) -> list[str]:
    """What became of a host, as far as its hooks and the end of the role tell."""
    names = {"drain": "drain", "undrain": "undrain", FAIL: "fail", "Next": "next"}
    found = [(task, names.get(task.task.rpartition(" : ")[2])) for task in run.tasks]
    return [
        name
        for task, name in found
        if task.host == host and name is not None and (name == "fail") <= (task.status == "failed")
    ]


SCRIPTS = {
    "well": Script(),
    "lost": Script(returns=False),
    # It cannot be reached for a while, and it is the old boot that answers then.
    "old-boot": Script(goes_down=False, faults=(Fault("observe", times=3),)),
    "sick": Script(test_failures=MANY),
}
KEPT = {
    "lost": ("did_not_return", "down", None, ["work"]),
    "old-boot": ("did_not_go_down", "shutdown", None, ["work"]),
    "sick": ("test_command_failed", "test_command", True, ["work"]),
}


def test_hosts_that_are_not_well_are_failed_and_stay_drained(site: Site) -> None:
    hosts = {name: site.hosts.add(name, script) for name, script in SCRIPTS.items()}
    run = site.fast_reboot(fast_reboot_timeout=LOST_SECONDS)
    assert {name: told(run, name) for name in KEPT} == KEPT, run.output
    # They are failed, and Ansible calls them nothing else; what comes next is not for them.
    assert {name: done(run, name) for name in KEPT} == {name: ["drain", "fail"] for name in KEPT}
    assert not any(task.status == "unreachable" for task in run.tasks)
    ended = [task for task in run.tasks if task.task.endswith(FAIL) and task.status == "failed"]
    messages = [task.result["msg"] for task in ended]
    assert ["The host is still drained: work." in each for each in messages] == [True] * len(KEPT)
    assert run.rc != 0
    assert [host.journal.count("order") for host in hosts.values()] == [1] * len(hosts)
    # Nor does what became of them reach the one that is well.
    assert told(run, "well") == (None, None, True, [])
    assert done(run, "well") == ["drain", "undrain", "next"]
    result = run.reboot_of("well")
    assert result["boot_id"]["after"] == hosts["well"].boot.boot_id


def test_host_that_falls_silent_under_the_order_is_drained_only_while_it_may_reboot(
    site: Site,
) -> None:
    taken = site.hosts.add("taken", Script(faults=(Fault("ordered", how="silence"),)))
    never = site.hosts.add("never", Script(faults=(Fault("order", how="silence"),)))
    run = site.fast_reboot()
    assert told(run, "taken") == (None, None, True, []), run.output
    assert done(run, "taken") == ["drain", "undrain", "next"]
    assert (taken.boot.number, taken.journal.count("order")) == (1, 1)
    assert told(run, "never") == ("trigger_lost", "trigger", False, [])
    assert done(run, "never") == ["drain", "undrain", "fail"]
    assert (never.boot.number, never.journal.count("order")) == (0, 0)


def test_host_that_is_lost_before_the_order_is_not_drained(site: Site) -> None:
    host = site.host(Script(faults=(Fault("module"),)))
    run = site.fast_reboot()
    assert run.rc != 0
    assert done(run, "web1") == []
    assert (host.boot.number, host.journal.count("order")) == (0, 0)


def test_user_who_is_not_root_is_told_so_and_nothing_is_written(site: Site) -> None:
    host = site.host()
    site.variables["ansible_user"] = "admin"
    run = site.fast_reboot()
    assert told(run, "web1") == ("not_root", "preflight", False, []), run.output
    assert "Set become to true, or connect as root." in run.output
    assert done(run, "web1") == ["fail"]
    assert (host.memory, host.journal.find("module")) == ("", [])


def test_host_that_is_refused_is_not_written_to(site: Site) -> None:
    host = site.host(Script(able=False))
    run = site.fast_reboot(fast_reboot_fallback="fail")
    assert told(run, "web1") == ("kexec_locked", "preflight", False, []), run.output
    assert host.journal.find("command", "memory.sh")
    assert host.journal.find("remembered") == []

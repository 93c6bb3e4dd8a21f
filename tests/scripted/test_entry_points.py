# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entry points of the role that reboot nothing, once, twice and in check mode."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.hosts import Host, Script
from tests.plays import PlayRun

from .site import Site
from .test_role import told


@pytest.fixture
def host(site: Site) -> Host:
    """A host that a run has left drained, because it was not well; by now it is."""
    host = site.host(Script(lacks=("crond",)))
    run = site.fast_reboot(fast_reboot_health_timeout=1)
    assert told(run, "web1") == ("unhealthy", "health", True, ["work"]), run.output
    host.script = Script()
    return host


def undrained(run: PlayRun) -> int:
    """How often the hook was undone."""
    return [task.task.rpartition(" : ")[2] for task in run.tasks].count("undrain")


def test_undrain_gives_a_host_its_work_back_once_and_reboots_nothing(
    site: Site, host: Host
) -> None:
    orders, remembered = host.journal.count("order"), host.memory
    foretold = site.entry_point("undrain", "--check")
    assert (foretold.rc, undrained(foretold)) == (0, 1), foretold.output
    assert host.memory == remembered
    done = site.entry_point("undrain")
    assert (done.rc, undrained(done), host.memory) == (0, 1, ""), done.output
    assert told(done, "web1")[3] == []
    for options in ((), ("--check",)):
        again = site.entry_point("undrain", *options)
        assert (again.rc, undrained(again), again.changed) == (0, 0, []), again.output
    assert (host.journal.count("order"), host.memory) == (orders, "")


def test_undrain_that_fails_says_by_what_the_host_is_still_drained(
    site: Site, host: Host, tmp_path: Path
) -> None:
    file = tmp_path / "undrain.json"
    failing = {"name": "undrain", "ansible.builtin.fail": {"msg": "no balancer"}}
    file.write_text(json.dumps([failing]), encoding="utf-8")
    hook = {"name": "work", "drain": str(file), "undrain": str(file)}
    run = site.entry_point("undrain", fast_reboot_hooks=[hook])
    assert run.rc != 0
    assert told(run, "web1")[0] == "undrain_failed"
    last = run.tasks[-1]
    assert (last.task.rpartition("| ")[2], last.status) == ("Fail where it failed", "failed")
    assert "no balancer" in last.result["msg"]
    assert last.result["msg"].endswith("The host is still drained: work.")
    # The next run finds that, too.
    assert 'drained "work"' in host.memory


def test_settle_looks_again_and_gives_the_work_back(site: Site, host: Host) -> None:
    remembered = host.memory
    foretold = site.entry_point("settle", "--check")
    assert (foretold.rc, undrained(foretold)) == (0, 1), foretold.output
    assert (host.memory, foretold.reboot["rebooted"]) == (remembered, False)
    host.script = Script(lacks=("crond",))
    sick = site.entry_point("settle", fast_reboot_health_timeout=1)
    assert (told(sick, "web1")[0], undrained(sick)) == ("unhealthy", 0), sick.output
    assert "unhealthy" in host.memory
    host.script = Script()
    done = site.entry_point("settle")
    assert (done.rc, undrained(done), host.memory) == (0, 1, ""), done.output
    again = site.entry_point("settle")
    assert (again.rc, undrained(again), again.changed) == (0, 0, []), again.output
    assert host.boot.number == 1


@pytest.mark.parametrize("name", ["resume", "look_after"])
def test_what_an_earlier_run_has_left_is_seen_to_once(site: Site, host: Host, name: str) -> None:
    remembered = host.memory
    foretold = site.entry_point(name, "--check")
    assert (foretold.rc, undrained(foretold)) == (0, 1), foretold.output
    assert host.memory == remembered
    done = site.entry_point(name)
    assert (done.rc, undrained(done), host.memory) == (0, 1, ""), done.output
    # It is no result of what comes next, in which the host may be lost.
    assert (done.tasks[-1].result["looked_after"], done.tasks[-1].result["done"]) == (True, None)
    for options in ((), ("--check",)):
        again = site.entry_point(name, *options)
        assert (again.rc, undrained(again), again.changed) == (0, 0, []), again.output
    assert (host.boot.number, host.memory) == (1, "")


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["for real", "check mode"])
def test_status_tells_what_is_remembered_and_changes_nothing(
    site: Site, host: Host, options: tuple[str, ...]
) -> None:
    remembered = host.memory
    run = site.entry_point("status", *options)
    assert (run.rc, run.changed, host.memory) == (0, [], remembered), run.output
    found = t.cast("dict[str, t.Any]", run.tasks[-1].result["remembered"])
    assert (found["progress"], found["drained"]) == ("unhealthy", ["work"])
    assert found["unhealthy"] == ["service crond"]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook fast-reboot.yml, and what an operator sees of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hosts import Script
from tests.plays import PlayRun

from .site import Site

# What a terminal of the usual height shows, with the command above it.
SCREENFUL = 45


def tables(run: PlayRun) -> list[list[str]]:
    named = [task for task in run.tasks if task.task == "Show what became of the hosts"]
    return [task.result["msg"] for task in named if isinstance(task.result.get("msg"), list)]


def test_reboot_of_one_host_is_a_screenful_with_a_table_at_its_end(
    site: Site, tmp_path: Path
) -> None:
    host = site.host(Script(downtime=1.0))
    report = tmp_path / "report.json"
    run = site.playbook("fast-reboot", "--limit=web1", fast_reboot_output=str(report))
    assert run.rc == 0, run.output
    assert len(run.output.strip().splitlines()) <= SCREENFUL, run.output
    table = run.task("Show what became of the hosts").result["msg"]
    assert table[1].split()[:3] == ["web1", "done", "kexec"]
    (told,) = json.loads(report.read_text(encoding="utf-8"))["hosts"]
    assert (told["outcome"], told["drained"], told["reason"]) == ("done", [], None)
    assert host.boot.number == 1


def test_hosts_that_nobody_has_named_are_not_rebooted(site: Site) -> None:
    hosts = [site.hosts.add(name) for name in ("web1", "web2")]
    run = site.playbook("fast-reboot", fast_reboot_host="web1")
    assert run.rc != 0
    assert "it would be all 2 of the inventory" in run.output
    assert [host.journal.find("order") for host in hosts] == [[], []]


def test_batch_after_a_lost_host_is_not_touched(site: Site) -> None:
    lost = site.hosts.add("web1", Script(returns=False))
    others = [site.hosts.add(name, Script(downtime=1.0)) for name in ("web2", "web3")]
    run = site.playbook(
        "fast-reboot",
        fast_reboot_hosts="all",
        fast_reboot_serial="2,1",
        fast_reboot_timeout=12,
    )
    assert run.rc != 0
    assert lost.journal.find("order") != []
    assert [host.boot.number for host in others] == [1, 0]
    assert [line.split()[:2] for line in tables(run)[-1][1:3]] == [
        ["web1", "failed"],
        ["web2", "done"],
    ]
    assert tables(run)[-1][-1] == "hosts 3: done 1, failed 1, away 0, waiting 1"


def test_result_of_an_earlier_playbook_of_the_run_is_none_of_the_next(site: Site) -> None:
    hosts = [site.hosts.add(name, Script(downtime=1.0)) for name in ("web1", "web2")]
    wanted = {"fast_reboot_hosts": "all", "fast_reboot_serial": "2"}
    run = site.playbooks(
        ("fast-reboot", wanted), ("fast-reboot", {**wanted, "fast_reboot_error_budget": "many"})
    )
    assert run.rc != 0
    assert "The error budget is 'many'" in run.output
    assert [host.boot.number for host in hosts] == [1, 1]
    first, second = tables(run)
    assert first[-1] == "hosts 2: done 2, failed 0, away 0, waiting 0"
    assert second[-1] == "hosts 2: done 0, failed 0, away 0, waiting 2"


def test_run_stops_at_once_while_a_host_of_an_earlier_run_is_not_well(site: Site) -> None:
    hosts = [site.hosts.add(name, Script(downtime=1.0)) for name in ("web1", "web2")]
    sick = site.hosts.add("web3", Script(lacks=("crond",)))
    wanted = {"fast_reboot_health_timeout": 1, "fast_reboot_serial": 1}
    first = site.playbook("fast-reboot", fast_reboot_hosts="web3", **wanted)
    assert first.rc != 0
    assert "unhealthy" in sick.memory
    second = site.playbook("fast-reboot", fast_reboot_hosts="all", **wanted)
    assert second.rc != 0
    assert "1 of 3 hosts failed, do not answer or are not well: web3." in second.output, (
        second.output
    )
    assert [host.journal.find("order") for host in hosts] == [[], []]
    # Why is in the table: no task of the batch was run.
    shown = tables(second)[-1]
    assert shown[1].split()[:2] == ["web3", "failed"]
    assert "unhealthy: The host came back and is not well: service crond." in shown[1]
    assert shown[-1] == "hosts 3: done 0, failed 1, away 0, waiting 2"
    sick.script = Script()
    third = site.playbook("fast-reboot", fast_reboot_hosts="web1:web3", **wanted)
    assert third.rc == 0, third.output
    assert (hosts[0].boot.number, sick.memory) == (1, "")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook that is begun in the middle does nothing to a host that nobody has let have its turn."""

from __future__ import annotations

import pytest

from tests.plays import PlayRun

from .site import Site

PASSED_OVER = "The playbook was begun in the middle, or a task of it was left out"
ROLE = "alpinefleet.kexec.fast_reboot : "
BRAKE = f"{ROLE}brake | Stop when too many hosts are not well"
ASK = f"{ROLE}look_after | Ask the host what it remembers"
# Each task at which somebody could begin.
TASKS = [
    *(("fast-reboot", task) for task in (ASK, BRAKE, "Reboot the host")),
    *(("rolling-upgrade", task) for task in (ASK, BRAKE, "Upgrade the host")),
    *(
        ("prepare", task)
        for task in (ASK, BRAKE, "Install Python where it is missing", "Make the host able")
    ),
]


def refused(run: PlayRun) -> bool:
    said = [str(task.result.get("msg", "")) for task in run.tasks if task.status == "failed"]
    return run.rc != 0 and any(PASSED_OVER in each for each in said)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_nobody_reboots_a_fleet_by_beginning_in_the_middle(
    site: Site, name: str, task: str
) -> None:
    host = site.host()
    run = site.playbook(name, f"--start-at-task={task}")
    assert refused(run), run.output
    assert "is undefined" not in run.output
    # Where the first task of a play is matched, Ansible gathers facts, whatever the play says of that.
    modules = [event.text for event in host.journal.find("module") if event.text != "setup"]
    assert (host.memory, host.journal.find("order"), modules) == ("", [], [])


def test_table_alone_is_shown(site: Site) -> None:
    site.host()
    run = site.playbook("fast-reboot", "--start-at-task=Show what became of the hosts")
    assert run.rc == 0, run.output
    assert run.tasks[-1].result["msg"][-1].startswith("hosts 1: done 0")


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("status", "Ask the host"),
        ("status", "Show what they remember"),
        ("audit", "See that the report can be written"),
        ("audit", "Look at the host"),
        ("audit", "Report"),
    ],
)
def test_report_that_nobody_has_looked_at_is_refused(site: Site, name: str, task: str) -> None:
    site.host()
    run = site.playbook(name, f"--start-at-task={task}")
    assert refused(run), run.output
    assert "is undefined" not in run.output

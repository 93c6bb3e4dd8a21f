# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task of a hook or of the health that is delegated to a helper which cannot be reached.

Ansible takes the host for unreachable then, and lets neither the role nor a rescue see that.
"""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.hosts import Script
from tests.plays import PlayRun

from .site import Site
from .test_playbook import tables

FILES = ("drain", "undrain", "check")
# Port 1 of the controller refuses; a key or a password must not be asked for.
TO_NOBODY = {
    "delegate_to": "helper",
    "vars": {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
        "ansible_ssh_common_args": "-oBatchMode=yes",
    },
}


def play(site: Site, *options: str, unreachable: str = "") -> PlayRun:
    """The playbook on all hosts, in one batch; a file is one of which web1 cannot reach the helper."""
    paths = {name: site.hosts.folder / f"{name}.json" for name in FILES}
    for name, path in paths.items():
        task = {"name": name, "ansible.builtin.debug": {"msg": name}, "changed_when": True}
        ask: dict[str, t.Any] = {
            "name": f"Ask the helper to {name}",
            "ansible.builtin.raw": "true",
            "when": "inventory_hostname == 'web1'",
            **TO_NOBODY,
        }
        tasks = [ask, task] if name == unreachable else [task]
        path.write_text(json.dumps(tasks), encoding="utf-8")
    return site.playbook(
        "fast-reboot",
        *options,
        fast_reboot_hosts="all",
        fast_reboot_serial=2,
        fast_reboot_timeout=40,
        fast_reboot_hooks=[
            {"name": "work", "drain": str(paths["drain"]), "undrain": str(paths["undrain"])}
        ],
        fast_reboot_health_tasks=[str(paths["check"])],
    )


@pytest.mark.parametrize(("file", "boots"), [("drain", 0), ("check", 1), ("undrain", 1)])
def test_host_is_shown_as_drained_and_the_next_run_gives_its_work_back(
    site: Site, file: str, boots: int
) -> None:
    host, other = (site.hosts.add(name, Script(downtime=1.0)) for name in ("web1", "web2"))
    first = play(site, unreachable=file)
    assert first.rc != 0
    left = [task for task in first.tasks if task.host == "web1"][-1]
    assert (left.task.rpartition(" : ")[2], left.status) == (
        f"Ask the helper to {file}",
        "unreachable",
    ), first.output
    lines = [line.split() for line in tables(first)[-1][1:3]]
    # Name and outcome; what it is drained by comes after method, downtime and kernels, where they are known.
    assert [line[:2] for line in lines] == [["web1", "away"], ["web2", "done"]]
    assert (" work " in tables(first)[-1][1], " work " in tables(first)[-1][2]) == (True, False)
    assert (host.boot.number, other.boot.number, other.memory) == (boots, 1, "")
    assert 'drained "work"' in host.memory
    second = play(site, "--limit=web1")
    assert second.rc == 0, second.output
    done = [task.task.rpartition(" : ")[2] for task in second.tasks]
    # Before it has its turn to be rebooted, as one more time of this run's own.
    assert done.index("undrain") < done.index("drain")
    assert (host.memory, host.boot.number) == ("", boots + 1)

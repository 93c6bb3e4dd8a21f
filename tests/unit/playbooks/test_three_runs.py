# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rolling-upgrade.yml once, and again, and again: the host at which it stopped is not forgotten."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun
from tests.plays.run import ROOT

SICK = [["service crond"], ["service crond"]]
WELL: list[list[str]] = [[], []]
HOSTS = ("web1", "web2", "web3")
GIVEN = {"rolling_upgrade_hosts": "all", "rolling_upgrade_serial": 1}


class Fleet:
    """Three hosts whose reboot is a script, and which remember."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = {
            "playbook.yml": [{"import_playbook": str(ROOT / "playbooks/rolling-upgrade.yml")}],
            **{
                f"{name}.yml": [task(name, "debug", changed_when=True)]
                for name in ("drain", "undrain")
            },
        }
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content))

    def memory(self, host: str) -> str:
        path = self._folder / f"memory-of-{host}"
        return path.read_text() if path.exists() else ""

    def upgrade(self, looks: list[list[str]], rebooted: tuple[str, ...] = ()) -> PlayRun:
        """Upgrade all; the first one is found so, and those that were rebooted need no reboot."""
        hosts = {
            host: self._host(host, looks if host == HOSTS[0] else WELL, host not in rebooted)
            for host in HOSTS
        }
        files = {name: str(self._folder / f"{name}.yml") for name in ("drain", "undrain")}
        common = {
            "fast_reboot_health_services": False,
            "fast_reboot_hooks": [{"name": "hook", **files}],
        }
        return run_scripted(self._folder, hosts, common, f"--extra-vars={json.dumps(GIVEN)}")

    def _host(self, name: str, looks: list[list[str]], needs_reboot: bool) -> dict[str, t.Any]:
        python = self._folder / f"python-of-{name}"
        facts = {"reboot_needed": needs_reboot}
        python_that_answers(python, changed=False, reasons=[], facts=facts)
        kept = str(self._folder / f"memory-of-{name}")
        script = {**SCRIPT, "looks": looks, "kept_in": kept}
        return {"script": script, "ansible_python_interpreter": str(python)}


def of(run: PlayRun, name: str) -> list[str]:
    """The hosts that a task was run on."""
    return [each.host for each in run.tasks if each.task.endswith(name)]


def test_run_after_a_sick_canary_stops_at_once_and_goes_on_when_it_is_well(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path)
    first = fleet.upgrade(SICK)
    assert (first.rc != 0, of(first, "Upgrade all packages")) == (True, ["web1"]), first.output
    assert all(word in fleet.memory("web1") for word in ("unhealthy", "hook", "crond"))
    # It runs its new kernel by now, and needs no reboot any more.
    second = fleet.upgrade(SICK, rebooted=("web1",))
    assert "1 of 3 hosts failed, do not answer or are not well: web1." in second.output
    touched = ("Upgrade all packages", "Order the reboot", "drain", "undrain")
    assert (second.rc != 0, [of(second, name) for name in touched]) == (True, [[]] * 4)
    assert "unhealthy" in fleet.memory("web1")
    third = fleet.upgrade(WELL, rebooted=("web1",))
    assert third.rc == 0, third.output
    assert of(third, "Upgrade all packages") == [*HOSTS]
    assert of(third, "Order the reboot") == ["web2", "web3"]
    assert of(third, "undrain") == [*HOSTS]
    assert [fleet.memory(host) for host in HOSTS] == ["", "", ""]

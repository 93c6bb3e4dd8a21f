# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three machines of which the second is sick after its upgrade, in three runs of the same command."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import lab
from tests.plays import PlayRun, Supply, only_in_full, run_playbook

from .conftest import KIND, Host
from .variables import ROLLING_UPGRADE

SCENARIO = Path(__file__).parents[1]
DRAINED, SICK = "/etc/out-of-work", "/etc/sick"
# For as long as this boot lasts, another kernel seems to be installed than the one that runs.
UPGRADED = (
    "echo 6.18.99-0-virt >/run/kernel.release && "
    "mount --bind /run/kernel.release /usr/share/kernel/virt/kernel.release"
)
VARIABLES: dict[str, t.Any] = {
    "rolling_upgrade_hosts": "all",
    "rolling_upgrade_serial": 1,
    "rolling_upgrade_packages": "kexec-tools",
    "fast_reboot_health_commands": f"test ! -e {SICK}",
    "fast_reboot_health_timeout": 5,
    "fast_reboot_hooks": {
        "name": "work",
        "drain": str(SCENARIO / "drain.yml"),
        "undrain": str(SCENARIO / "undrain.yml"),
    },
}

pytestmark = [pytest.mark.xdist_group("memory"), only_in_full]


class Seen(t.NamedTuple):
    """A run, and what the machines were afterwards: the boot, and whether they are drained."""

    run: PlayRun
    report: dict[str, t.Any]
    boots: list[str]
    drained: list[bool]

    def outcomes(self) -> list[str]:
        return [each["outcome"] for each in self.report["hosts"]]


@dataclass(frozen=True)
class Runs:
    """Before, and after each of three runs; the second machine is mended before the third."""

    names: list[str]
    boots: list[str]
    first: Seen
    second: Seen
    third: Seen


@pytest.fixture(scope="module")
def runs(shared_machines: Supply, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    hosts = [shared_machines.take(Host, KIND) for _number in range(3)]
    folder = tmp_path_factory.mktemp("memory")
    inventory, report = folder / "inventory.yml", folder / "report.json"
    inventory.write_text(lab.render([lab.find(host.name) for host in hosts]))

    def run() -> Seen:
        done = run_playbook(
            ROLLING_UPGRADE,
            inventory,
            variables={**VARIABLES, "rolling_upgrade_output": str(report)},
        )
        return Seen(
            done,
            json.loads(report.read_text(encoding="utf-8")),
            [host.boot_id() for host in hosts],
            [host.host.file(DRAINED).exists for host in hosts],
        )

    for host in hosts:
        host.host.check_output("sh -c %s", UPGRADED)
    hosts[1].host.check_output("touch %s", SICK)
    boots = [host.boot_id() for host in hosts]
    first, second = run(), run()
    hosts[1].host.check_output("rm %s", SICK)
    return Runs([host.name for host in hosts], boots, first, second, run())


def test_first_run_stops_at_the_sick_machine(runs: Runs) -> None:
    assert runs.first.run.rc != 0
    assert runs.first.outcomes() == ["done", "failed", "waiting"], runs.first.run.output
    assert runs.first.drained == [False, True, False]


def test_second_run_stops_at_once_and_says_why(runs: Runs) -> None:
    assert runs.second.run.rc != 0
    # Before the first batch: no host had its turn.
    assert runs.second.outcomes() == ["waiting", "failed", "waiting"], runs.second.run.output
    assert runs.second.report["hosts"][1]["reason"] == "unhealthy"
    assert f"-e {SICK}: exit status 1" in runs.second.report["hosts"][1]["message"]
    assert runs.second.drained == [False, True, False]


def test_third_run_finishes_when_the_machine_is_mended(runs: Runs) -> None:
    assert runs.third.run.rc == 0, runs.third.run.output
    assert runs.third.outcomes() == ["done"] * 3
    assert runs.third.drained == [False] * 3


def test_each_machine_is_rebooted_once(runs: Runs) -> None:
    first, second, third = runs.boots
    assert runs.first.boots[2] == runs.second.boots[2] == third
    assert runs.first.boots[:2] == runs.second.boots[:2] == runs.third.boots[:2]
    assert first not in runs.third.boots
    assert second not in runs.third.boots
    assert third not in runs.third.boots

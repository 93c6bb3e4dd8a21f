# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the brakes of several plays count, as Ansible itself makes batches of their hosts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.plays import PlayRun, run_playbook

TIMEOUT = 120.0
HOSTS = [f"web{number}" for number in range(5)]
IN_ORDER, AGAIN, SHUFFLED = "Brake", "Brake again", "Brake out of order"
FREE = {name: f"Brake of {name}" for name in ("free", "host_pinned")}
OF_ONE_RUN = pytest.mark.xdist_group("batches")
pytestmark = OF_ONE_RUN


def a_play(name: str, **keywords: t.Any) -> dict[str, t.Any]:
    brake = {
        "name": name,
        "alpinefleet.kexec.fleet_step": {"step": "brake"},
        "register": "__fast_reboot_braked",
        "run_once": True,
    }
    return {"hosts": "all", "gather_facts": False, "serial": [2, 1], "tasks": [brake], **keywords}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    folder: Path = tmp_path_factory.mktemp("batches")
    inventory, playbook = folder / "inventory", folder / "play.yml"
    inventory.write_text("".join(f"{host} ansible_connection=local\n" for host in HOSTS))
    plays = [a_play(IN_ORDER), a_play(AGAIN), a_play(SHUFFLED, order="reverse_sorted")]
    plays += [a_play(name, strategy=strategy) for strategy, name in FREE.items()]
    playbook.write_text(yaml.safe_dump(plays))
    return run_playbook(playbook, inventory, timeout=TIMEOUT)


def told(run: PlayRun, name: str) -> list[dict[str, t.Any]]:
    return [task.result for task in run.tasks if task.task == name and "counted" in task.result]


@pytest.mark.parametrize("name", [IN_ORDER, AGAIN])
def test_each_brake_has_counted_those_before_its_batch(run: PlayRun, name: str) -> None:
    assert run.rc == 0
    assert [each["counted"] for each in told(run, name)] == [0, 2, 3, 4]


def test_batches_of_a_play_know_each_other_and_not_those_of_another(run: PlayRun) -> None:
    plays = [{each["play"] for each in told(run, name)} for name in (IN_ORDER, AGAIN, SHUFFLED)]
    assert [len(each) for each in plays] == [1, 1, 1]
    assert len(plays[0] | plays[1]) == 2
    # In another order than the inventory's every brake counts all.
    assert plays[2] == {""}
    assert "" not in plays[0] | plays[1]


@pytest.mark.parametrize("name", FREE.values(), ids=FREE)
def test_other_strategies_wait_for_a_batch_and_each_host_asks_the_brake(
    run: PlayRun, name: str
) -> None:
    asked = [task.host for task in run.tasks if task.task == name and "counted" in task.result]
    assert [sorted(asked[:2]), *asked[2:]] == [HOSTS[:2], *HOSTS[2:]]
    assert sorted(each["counted"] for each in told(run, name)) == [0, 0, 2, 3, 4]

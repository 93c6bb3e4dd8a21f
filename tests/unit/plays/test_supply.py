# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine a test gets, and that it is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, MachineSpec, Record
from tests.plays import Machine, Supply, supply
from tests.plays.run import ROOT

KINDS = """
machines:
  - name: plain
    options: []
  - name: watched
    options: [--watchdog, --parallel-rc=yes]
    playbook: converge.yml
    variables: {mode: on_request}
"""


class Host(Machine):
    """Where a test's machine is; nobody connects to it."""

    def __init__(self, name: str, inventory: str) -> None:
        self.name = name
        self.inventory = inventory


@pytest.fixture
def ups(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []

    def up(_lab: Lab, spec: MachineSpec, source: object = None) -> Record:
        found.append((spec.name, source))
        return Record(spec.name, f"/m/{spec.name}", 2222, 1024, "/r/www", False, "ready")

    monkeypatch.setattr(Lab, "up", up)
    monkeypatch.setattr(supply, "booted", lambda spec, _progress: ("booted", spec.watchdog))
    monkeypatch.setattr(
        supply,
        "prepared",
        lambda spec, preparation, _progress: (preparation.title, spec.watchdog),
    )
    return found


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "machines.yml").write_text(KINDS)

    class Preparation:
        def __init__(self, playbook: Path, **variables: object) -> None:
            self.title = f"{playbook.relative_to(tmp_path)} {variables}"

    monkeypatch.setattr(supply, "by_playbook", Preparation)
    return tmp_path


def names() -> Iterator[str]:
    yield from ("it-1", "it-2", "it-3")


def test_machines_are_of_a_kind_and_no_name_is_used_twice(
    scenario: Path, ups: list[tuple[str, object]]
) -> None:
    with Lab(quiet=True) as lab:
        machines = Supply(scenario, names(), lab)
        hosts = [machines.take(Host, kind) for kind in ("plain", "watched")]
        hosts.append(machines.boot(Host, "plain"))
    assert [host.name for host in hosts] == ["it-1", "it-2", "it-3"]
    assert hosts[0].inventory == "/m/it-1/inventory.yml"
    assert ups == [
        ("it-1", ("booted", False)),
        ("it-2", ("converge.yml {'mode': 'on_request'}", True)),
        ("it-3", None),
    ]


def test_every_scenario_on_machines_names_kinds_that_the_lab_knows() -> None:
    scenarios = sorted(path.parent for path in ROOT.glob("extensions/molecule/vm/*/molecule.yml"))
    assert len(scenarios) >= 5
    for scenario in scenarios:
        for kind in supply.kinds(scenario).values():
            assert kind.playbook is None or kind.playbook.is_file()
            kind.spec.check()

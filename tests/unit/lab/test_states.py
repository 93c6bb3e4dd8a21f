# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state is made once, and anew when anything that takes part in it is another thing."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.lab import machine, records, snapshot, states
from tests.lab.config import ImageSpec, MachineSpec
from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.lab.records import Record
from tests.lab.states import Preparation

QUIET = Progress(quiet=True)
SPEC = MachineSpec("web1")


class Machines:
    """What takes part in a state, and machines that are up at once."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.identity = "image-1"
        self.emulator = ["qemu-1", "its firmware"]
        self.program = "/q1/qemu"
        self.firmware = "firmware-1"
        self.said = "quiet"

    def up(self, spec: MachineSpec, _progress: Progress, source: object = None) -> Record:
        folder = records.machines_dir() / spec.name
        folder.mkdir(parents=True)
        record = Record(spec.name, str(folder), 2222, 1024, "/r/www", False, "ready")
        records.save(record)
        self.made.append(f"{spec.name} from {getattr(source, 'folder', Path('power-on')).name}")
        return record

    def take(self, record: Record, folder: Path) -> None:
        (folder / "state.raw").write_text("disk")
        machine = dict.fromkeys(snapshot.MACHINE, False) | {"memory": record.memory}
        details = {**machine, "sizes": {"state.raw": 4}}
        (folder / snapshot.DETAILS).write_text(json.dumps(details))


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    found = Machines()
    boot = SimpleNamespace

    def image(_spec: ImageSpec, _progress: Progress) -> t.Any:
        return boot(folder=Path("/c/image-a"), boot=boot(uuid=found.identity))

    monkeypatch.setattr(machine, "up", found.up)
    monkeypatch.setattr(snapshot, "take", found.take)
    monkeypatch.setattr(states, "ensure_image", image)
    monkeypatch.setattr(states, "repository", lambda _progress: Path("/c/repository-a"))

    def emulator(_progress: Progress) -> t.Any:
        return boot(identity=found.emulator, command=[found.program])

    monkeypatch.setattr(states, "ensure_emulator", emulator)
    monkeypatch.setattr(states, "sha256", lambda _path: found.firmware)
    monkeypatch.setattr(states, "shell", lambda *_arguments, **_options: found.said)
    return found


def test_booted_is_made_once_whatever_the_machine_is_called(machines: Machines) -> None:
    first = states.booted(SPEC, QUIET)
    second = states.booted(replace(SPEC, name="web2", timeout=7), QUIET)
    assert first == second
    assert (first.repository, first.emulator) == ("/c/repository-a/www", ("/q1/qemu",))
    assert [each.partition(" from ")[2] for each in machines.made] == ["power-on"]
    assert records.listed() == []


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, memory=512),
        replace(SPEC, locked=True),
        replace(SPEC, parallel_rc=True),
        replace(SPEC, watchdog=True),
        replace(SPEC, panic_store=True),
        replace(SPEC, append="quiet"),
        replace(SPEC, image=ImageSpec(loader="grub")),
        replace(SPEC, image=ImageSpec(alpine="3.23.5")),
        replace(SPEC, image=ImageSpec(packages=())),
    ],
)
def test_another_machine_is_another_state(machines: Machines, spec: MachineSpec) -> None:
    assert states.booted(SPEC, QUIET) != states.booted(spec, QUIET)
    assert len(machines.made) == 2


@pytest.mark.parametrize("part", ["identity", "emulator"])
def test_what_took_part_and_is_another_one_makes_it_stale(machines: Machines, part: str) -> None:
    before = states.booted(SPEC, QUIET)
    setattr(machines, part, "another")
    assert states.booted(SPEC, QUIET) != before


def test_firmware_takes_part_where_it_is_the_machines_own(machines: Machines) -> None:
    uefi = replace(SPEC, image=ImageSpec(loader="grub-efi"))
    before, bios = states.booted(uefi, QUIET), states.booted(SPEC, QUIET)
    machines.firmware = "another"
    assert states.booted(uefi, QUIET) != before
    assert states.booted(SPEC, QUIET) == bios


def test_a_state_goes_on_under_its_emulator_wherever_that_is_now(machines: Machines) -> None:
    before = states.booted(SPEC, QUIET)
    machines.program = "/q2/qemu"
    after = states.booted(SPEC, QUIET)
    assert after == replace(before, emulator=("/q2/qemu",))
    assert len(machines.made) == 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: (folder / "state.raw").unlink(), id="no disk"),
        pytest.param(lambda folder: (folder / "state.raw").write_text("dis"), id="half a disk"),
        pytest.param(lambda folder: (folder / "state.json").write_text(""), id="no details"),
        pytest.param(lambda folder: (folder / "state.json").write_text("{}"), id="older details"),
        pytest.param(lambda folder: (folder / "state.json").unlink(), id="nothing is known"),
    ],
)
def test_a_state_that_is_not_whole_is_made_anew(
    machines: Machines, damage: t.Callable[[Path], None]
) -> None:
    before = states.booted(SPEC, QUIET)
    damage(before.folder)
    assert states.booted(SPEC, QUIET) == before
    assert snapshot.is_whole(before.folder)
    assert len(machines.made) == 2


def test_sources_of_the_lab_take_part() -> None:
    assert {"machine.py", "identity.py", "qemu.py", "snapshot.py"} <= set(states.SOURCES)


def test_prepared_goes_on_from_booted_and_depends_on_what_is_done(machines: Machines) -> None:
    ran: list[str] = []

    def preparation(inputs: str) -> Preparation:
        return Preparation("prepared", inputs, lambda record: ran.append(record.name))

    first = states.prepared(SPEC, preparation("a"), QUIET)
    assert states.prepared(SPEC, preparation("a"), QUIET) == first
    assert len(ran) == 1
    assert states.prepared(SPEC, preparation("b"), QUIET) != first
    assert len(ran) == 2
    booted = states.booted(SPEC, QUIET).folder.name
    sources = [each.partition(" from ")[2] for each in machines.made]
    assert sources == ["power-on", booted, booted]


def test_a_state_that_cannot_be_made_leaves_nothing(machines: Machines) -> None:
    machines.said = ""
    with pytest.raises(LabError, match="were not started"):
        states.booted(SPEC, QUIET)
    assert records.listed() == []
    machines.said = "quiet"
    assert states.booted(SPEC, QUIET).memory == 1024


def test_what_a_killed_run_left_is_no_hindrance(machines: Machines) -> None:
    states.booted(SPEC, QUIET)
    name = machines.made[0].partition(" from ")[0]
    folder = states.booted(SPEC, QUIET).folder
    machines.up(replace(SPEC, name=name), QUIET)
    (folder / snapshot.DETAILS).unlink()
    assert states.booted(SPEC, QUIET).folder == folder
    assert records.listed() == []

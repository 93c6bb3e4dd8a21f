# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The default slot in the menu, and the note that says so of that very menu."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.good import (
    GOOD_NOTE,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import defaults
from ansible_collections.alpinefleet.kexec.tests.unit import slot_menus
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, TWO, Machine


@pytest.fixture(params=["extlinux", "grub", "limine"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "host", request.param)
    found.path("/boot/alpinefleet-kexec").mkdir()
    return found


def put(machine: Machine, *names: str, check_mode: bool = False) -> bool:
    default = next(iter(names), None)
    entries = slot_menus.slots(*names)
    found = defaults.ensure(machine.host, entries, default, check_mode=check_mode)
    return bool(found["changed"])


def noted(machine: Machine) -> str | None:
    text = machine.read(GOOD_NOTE)
    return None if text is None else text.partition("\n")[0]


def test_note_follows_the_menu(machine: Machine) -> None:
    assert put(machine, ONE)
    assert noted(machine) == ONE
    assert not put(machine, ONE)
    assert put(machine, TWO, ONE)
    assert noted(machine) == TWO
    assert put(machine)
    assert noted(machine) is None
    assert not put(machine)


def test_note_is_written_again_for_a_menu_that_was_made_anew(machine: Machine) -> None:
    put(machine, ONE)
    machine.write("/boot/vmlinuz-edge", "edge")
    machine.remake()
    if machine.loader == "limine":
        machine.edit(machine.menu, "timeout: 3", "timeout: 5")
    assert put(machine, ONE, check_mode=True)
    assert put(machine, ONE)
    assert not put(machine, ONE)


def test_check_mode_writes_no_note(machine: Machine) -> None:
    assert put(machine, ONE, check_mode=True)
    assert noted(machine) is None

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is of slots on a host: read as a whole, and nothing of it decided."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import (
    defaults,
    situation,
    store,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import Journal
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return slots.machine(tmp_path / "host", "extlinux")


def make(machine: Machine) -> str:
    """A slot that is the default."""
    seen = situation.see(machine.host)
    assert seen.candidate is not None
    name = store.make(machine.host, seen.candidate)
    entries = [store.entry_of(name, seen.candidate.manifest)]
    defaults.ensure(machine.host, entries, name, check_mode=False)
    return name


def test_host_without_slots_has_a_candidate(machine: Machine) -> None:
    seen = situation.see(machine.host)
    assert (seen.slots, seen.good, seen.running, seen.parked) == ((), None, None, frozenset())
    assert (seen.journal, seen.no_journal, seen.has_journal) == (Journal(), None, False)
    assert seen.candidate is not None
    assert seen.candidate.manifest.flavour == "virt"
    assert seen.mounted is None


def test_flavour_is_that_of_the_good_slot(machine: Machine) -> None:
    name = make(machine)
    for file in ("vmlinuz", "initramfs"):
        content = machine.path(f"/boot/{file}-virt").read_bytes()
        machine.write(f"/boot/{file}-lts", content)
    machine.edit(machine.settings, "default=virt", "default=lts")
    machine.remake()
    seen = situation.see(machine.host)
    assert seen.candidate is not None
    assert (seen.good, seen.candidate.manifest.flavour) == (name, "virt")
    other = situation.see(machine.host, "lts").candidate
    assert other is not None
    assert other.manifest.flavour == "lts"


def test_what_cannot_be_told_is_a_reason_and_no_failure(machine: Machine) -> None:
    machine.write(notes.TRIAL, "{")
    machine.path("/boot/initramfs-virt").unlink()
    seen = situation.see(machine.host)
    assert (seen.candidate, seen.journal, seen.has_journal) == (None, None, True)
    codes = [each.code for each in (seen.no_candidate, seen.no_journal) if each is not None]
    assert codes == ["path_unreadable", "trial_not_understood"]


@pytest.mark.parametrize("top", ["", "/usr"])
def test_mounted_modules_of_the_running_kernel_are_seen(machine: Machine, top: str) -> None:
    point = f"{top}/lib/modules/{fakes.RELEASE}"
    machine.write("/proc/mounts", f"/dev/vda2 {point} ext4 ro 0 0\n")
    assert situation.see(machine.host).mounted == point


def test_slots_are_seen_where_the_boot_loader_is_not_understood(machine: Machine) -> None:
    name = make(machine)
    seen = situation.see_without_menus(machine.host)
    assert seen.menus == Menus("")
    assert [slot.id for slot in seen.slots] == [name]
    assert (seen.candidate, seen.no_candidate) == (None, None)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One boot of a slot through firmware: ordered, told, taken back, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.mounts import Mount
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, TWO, Machine, slots


@pytest.fixture(params=["extlinux", "grub"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "host", request.param)
    ensure(machine.host, slots(ONE, TWO), ONE, check_mode=False)
    return machine


def refusal(machine: Machine, slot: str = TWO) -> str:
    with pytest.raises(ReasonError) as caught:
        once.once(machine.host, slot, check_mode=False)
    assert caught.value.reason.code == "cold_proof_unsupported"
    return caught.value.reason.message


def test_order_for_one_boot_changes_no_default(machine: Machine) -> None:
    assert once.can_once(machine.host) is None
    assert once.once(machine.host, TWO, check_mode=False) == {"changed": True}
    menus = look(machine.host)
    assert (menus.once, menus.default, menus.agrees) == (TWO, ONE, True)
    assert once.once(machine.host, TWO, check_mode=False) == {"changed": False}


def test_check_mode_orders_nothing(machine: Machine) -> None:
    assert once.once(machine.host, TWO, check_mode=True) == {"changed": True}
    assert look(machine.host).once is None
    assert once.clear_once(machine.host, check_mode=True) == {"changed": False}


def test_order_is_taken_back(machine: Machine) -> None:
    once.once(machine.host, TWO, check_mode=False)
    assert once.clear_once(machine.host) == {"changed": True}
    assert look(machine.host).once is None
    assert once.clear_once(machine.host) == {"changed": False}


def test_slot_that_is_to_boot_once_is_named(machine: Machine) -> None:
    once.once(machine.host, TWO, check_mode=False)
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    assert TWO in look(machine.host).named - look(machine.host).before


def test_order_goes_with_the_last_slot(machine: Machine) -> None:
    once.once(machine.host, TWO, check_mode=False)
    assert ensure(machine.host, [], None, check_mode=True)["changed"]
    ensure(machine.host, [], None, check_mode=False)
    assert look(machine.host).once is None


def test_order_of_somebody_else_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    text = "# GRUB Environment Block\nnext_entry=own\n"
    machine.write("/boot/grub/grubenv", text)
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    ensure(machine.host, [], None, check_mode=False)
    assert machine.read("/boot/grub/grubenv") == text


def test_slot_without_an_entry_is_refused(machine: Machine) -> None:
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    assert f"no entry alpinefleet-kexec-{TWO}" in refusal(machine)


def test_command_that_is_missing_or_fails_is_told(machine: Machine) -> None:
    name = {"extlinux": "extlinux", "grub": "grub-editenv"}[machine.loader]
    path = machine.runner.installed[name]
    words = {"extlinux": (), "grub": ("/boot/grub/grubenv",)}[machine.loader]
    machine.runner.on(path, *words)
    assert f"{name} had no effect" in refusal(machine)
    machine.runner.on(path, *words, rc=1, stderr="no space")
    assert "it said 'no space'" in refusal(machine)
    once.clear_once(machine.host)
    del machine.runner.installed[name]
    assert f"{name} is not installed" in refusal(machine)
    found = once.can_once(machine.host)
    assert found is not None


def test_extlinux_without_its_core_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    machine.path("/boot/ldlinux.sys").unlink()
    assert "no ldlinux.sys" in refusal(machine, ONE)


def test_menu_that_does_not_look_for_an_order_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    machine.write(machine.menu, "menuentry 'x' --id x {\n\tlinux /boot/vmlinuz-virt\n}\n")
    assert "does not look for next_entry" in refusal(machine, ONE)


@pytest.mark.parametrize(
    ("mount", "version", "writes"),
    [
        (Mount("/", "ext4", (), "/dev/vda2"), (2, 12), True),
        (Mount("/boot", "vfat", (), "/dev/vda1"), (2, 12), True),
        (Mount("/", "xfs", (), "/dev/sda2"), (2, 6), True),
        (Mount("/", "ext4", (), "/dev/md0"), (2, 14), False),
        (Mount("/", "ext4", (), "/dev/mapper/vg-root"), (2, 14), False),
        (Mount("/", "ext4", (), "/dev/dm-0"), (2, 14), False),
        (Mount("/", "zfs", (), "rpool/root"), (2, 14), False),
        (Mount("/", "btrfs", (), "/dev/vda2"), (2, 12), False),
        (Mount("/", "btrfs", (), "/dev/vda2"), (2, 14), True),
    ],
)
def test_grub_must_be_able_to_take_the_order_back(
    mount: Mount, version: tuple[int, ...], writes: bool
) -> None:
    assert (once.unwritable_by_grub(mount, version) is None) is writes

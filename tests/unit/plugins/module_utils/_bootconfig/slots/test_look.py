# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a boot loader's files; what comes of changes is tested with ensure."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import (
    Menus,
    look,
)
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import Machine


@pytest.mark.parametrize("loader", ["extlinux", "grub", "limine"])
def test_host_without_slots(tmp_path: Path, loader: str) -> None:
    machine = Machine(tmp_path / "host", loader)
    before = machine.files()
    menus = look(machine.host, "virt")
    assert menus == Menus(loader, apks=menus.apks)
    assert menus.apks is not None
    assert machine.files() == before


@pytest.mark.parametrize("loader", ["extlinux", "grub", "limine"])
def test_menu_that_cannot_be_read_says_why(tmp_path: Path, loader: str) -> None:
    machine = Machine(tmp_path / "host", loader)
    machine.write(machine.menu, "\n")
    menus = look(machine.host)
    assert (menus.default, menus.agrees) == (None, False)
    assert menus.unclear

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the settings of update-extlinux and our file say together; changes are tested with ensure."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import (
    update_extlinux,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    label_of,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, Machine, slots


@pytest.mark.parametrize(
    ("default", "entry"),
    [
        ("default=lts\n", "lts"),
        ("default='virt'\n", "virt"),
        ("default=gone\n", "lts"),
        ("default=$(echo lts)\n", "lts"),
        ("", "lts"),
    ],
)
def test_entry_that_is_apks_default(tmp_path: Path, default: str, entry: str) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    machine.write(machine.settings, f"root=UUID=1-2\n{default}")
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    found = look(machine.host).apks
    assert found is not None
    assert found.name == entry


def test_tool_marks_no_entry_of_its_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    assert (machine.read(machine.menu) or "").count("MENU DEFAULT") == 1


def test_menu_of_the_tool_is_read_behind_a_file_without_an_end(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    machine.write("/etc/update-extlinux.d/aa.conf", "LABEL own\n  LINUX own")
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    assert machine.boots() == label_of(ONE)
    assert update_extlinux.FRAGMENT.startswith(update_extlinux.FRAGMENTS)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings show themselves in apk's entries, and not in those of slots."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    editors,
    parameter,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import Options
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import configured
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, Machine, slots

OPTIONS = {
    "extlinux": 'default_kernel_opts="quiet"\n',
    "grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
}


@pytest.mark.parametrize(("loader", "name"), [("extlinux", "virt"), ("grub", "gnulinux-lts")])
def test_entry_of_apk_stands_for_the_settings(tmp_path: Path, loader: str, name: str) -> None:
    machine = Machine(tmp_path / "host", loader)
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    settings = editors.choose(machine.host, "auto")
    text = machine.read(machine.menu)
    found = configured.entry(machine.host, settings, text)
    assert isinstance(found, Entry)
    assert found.name == name
    for path in machine.path("/boot").glob("vmlinuz-*"):
        path.unlink()
    machine.remake()
    text = machine.read(machine.menu)
    assert configured.entry(machine.host, settings, text) == "it has no entry but those of slots"
    assert isinstance(configured.entry(machine.host, settings, None), str)


@pytest.mark.parametrize("loader", ["extlinux", "grub"])
def test_parameter_is_set_for_apks_kernels_and_no_slot_changes(tmp_path: Path, loader: str) -> None:
    machine = Machine(tmp_path / "host", loader)
    machine.write(machine.settings, (machine.read(machine.settings) or "") + OPTIONS[loader])
    machine.remake()
    ensure(machine.host, slots(ONE), ONE, check_mode=False)
    options = Options((Change("panic", "10"),), "auto", False)
    assert parameter.ensure(machine.host, lambda: options, check_mode=False)["changed"]
    menus = look(machine.host)
    assert (menus.default, menus.agrees) == (ONE, True)
    assert not ensure(machine.host, slots(ONE), ONE, check_mode=False)["changed"]
    assert not parameter.ensure(machine.host, lambda: options, check_mode=False)["changed"]

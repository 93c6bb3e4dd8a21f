# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All files that may speak of a slot are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import see
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    label_of,
)
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, TWO, Machine

LIVE = {
    "extlinux": ("/etc/update-extlinux.conf", "/etc/update-extlinux.d/copy", "/boot/extlinux.conf"),
    "grub": ("/etc/default/grub", "/etc/grub.d/41_copy", "/boot/grub/grubenv"),
    "limine": ("/boot/limine/limine.conf",),
}
LEFT = {
    "extlinux": (
        "/boot/extlinux.conf.old",
        "/boot/extlinux.conf.new",
        "/boot/.extlinux.conf.boot-parameter-old",
        "/etc/.update-extlinux.conf.boot-parameter-draft",
    ),
    "grub": (
        "/boot/grub/.grub.cfg.boot-parameter-new",
        "/boot/grub/.grub.cfg.boot-parameter-old",
        "/boot/grub/grub.cfg.backup",
        "/boot/grub/grub.cfg.new",
    ),
    "limine": ("/boot/limine/.limine.conf.boot-parameter-old", "/boot/limine/limine.conf.old"),
}
ONE_ONLY, NONE = frozenset({ONE}), frozenset[str]()
PLACES = [
    (loader, path, found is LIVE)
    for found in (LIVE, LEFT)
    for loader, paths in found.items()
    for path in paths
]


@pytest.mark.parametrize(("loader", "path", "live"), PLACES)
def test_slot_that_a_file_names_is_found(
    tmp_path: Path, loader: str, path: str, live: bool
) -> None:
    machine = Machine(tmp_path / "host", loader)
    machine.write(path, (machine.read(path) or "") + f"# {label_of(ONE)}\n")
    seen = see.see(machine.host)
    named, before = see.named(machine.host, seen), see.named_before(machine.host, seen)
    assert (named, before) == ((ONE_ONLY, NONE) if live else (NONE, ONE_ONLY))


def test_slots_of_the_menu(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    text = f"\nLABEL {label_of(TWO)}\n  LINUX x\n"
    machine.write("/etc/update-extlinux.d/x", text)
    machine.remake()
    assert see.see(machine.host).listed == {TWO}

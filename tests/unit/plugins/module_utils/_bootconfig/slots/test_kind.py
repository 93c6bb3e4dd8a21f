# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a boot loader names files, and which entries are apk's."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import kind
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    label_of,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.kind import Site
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.listing import Listing
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.mounts import Mount
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE

FILE = f"/boot/alpinefleet-kexec/{ONE}/linux"


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (Mount(""), FILE),
        (Mount("/"), FILE),
        (Mount("/boot", "ext4"), FILE[5:]),
        (Mount("/", "btrfs", ("rw", "subvol=/@")), f"/@{FILE}"),
        (Mount("/", "zfs", (), "pool/root"), f"/root@{FILE}"),
    ],
)
def test_file_from_the_root_of_its_file_system(mount: Mount, expected: str) -> None:
    assert Site("/boot/grub/grub.cfg", mount).from_root(FILE) == expected


def test_file_from_the_menu() -> None:
    assert Site("/boot/extlinux.conf").beside(FILE) == FILE[6:]
    assert Site("/boot/syslinux/syslinux.cfg").beside(FILE) == f"..{FILE[5:]}"


def test_entries_of_apk_by_flavour() -> None:
    def entry(kernel: str | None, name: str) -> Entry:
        return Entry("", kernel, (), "", name)

    virt, lts = entry("vmlinuz-virt", "virt"), entry("/boot/vmlinuz-lts", "lts")
    listing = Listing((entry(FILE, label_of(ONE)), virt, entry(None, "x"), lts), virt)
    assert kind.of_apk(listing, "lts") == [lts]
    assert kind.of_apk(listing, "rpi") == []
    assert len(kind.of_apk(listing)) == 3


def test_what_is_missing_is_named() -> None:
    found = kind.unsupported("the boot loader uki", "a menu").reason
    assert (found.code, found.blocks) == ("slots_unsupported", "nothing")
    assert found.message == "Slots cannot be had with the boot loader uki: a menu."

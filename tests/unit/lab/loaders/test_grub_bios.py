# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB's boot record and core image on a disk."""

from __future__ import annotations

from pathlib import Path

from tests.lab.layout import MIB, SECTOR
from tests.lab.loaders import grub_bios

BOOT = bytes(number % 251 for number in range(SECTOR))
CORE = bytes(number % 241 for number in range(3 * SECTOR))


def test_boot_code_loads_the_core_image() -> None:
    code = grub_bios.boot_code(BOOT, 2048)
    assert len(code) == 440
    assert code[0x5C:0x64] == (2048).to_bytes(8, "little")
    assert code[0x66:0x68] == b"\x90\x90"
    changed = {at for at, byte in enumerate(code) if byte != BOOT[at]}
    assert changed <= {*range(0x5C, 0x64), 0x66, 0x67}


def test_core_image_goes_on_in_the_next_sector() -> None:
    core = grub_bios.core_image(CORE, 2048)
    assert core[0x1F4:0x1FC] == (2049).to_bytes(8, "little")
    assert core[:0x1F4] + core[0x1FC:] == CORE[:0x1F4] + CORE[0x1FC:]


def test_install_leaves_the_partition_table_alone(tmp_path: Path) -> None:
    files = {"usr/lib/grub/i386-pc/boot.img": BOOT, "boot/grub/i386-pc/core.img": CORE}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    disk = tmp_path / "disk"
    disk.write_bytes(b"\xff" * 2 * MIB)
    grub_bios.install(tmp_path, disk)
    written = disk.read_bytes()
    assert len(written) == 2 * MIB
    assert written[:440] == grub_bios.boot_code(BOOT, 2048)
    assert written[440:MIB] == b"\xff" * (MIB - 440)
    assert written[MIB : MIB + len(CORE)] == grub_bios.core_image(CORE, 2048)

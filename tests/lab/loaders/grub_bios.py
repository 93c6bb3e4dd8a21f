# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB on BIOS: a GPT whose first partition holds the core image."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..layout import BIOS_BOOT, MIB, SECTOR, START, Layout, Partition
from . import grub
from .loader import Loader

PLATFORM = grub.Platform("i386-pc", "core.img", ("biosdisk",))
LAYOUT = Layout("gpt", Partition(BIOS_BOOT, MIB))

# Places in boot.img, where grub-bios-setup writes, too.
CODE_END = 440
CORE_SECTOR = slice(0x5C, 0x64)
DRIVE_CHECK = slice(0x66, 0x68)
NO_OPERATION = b"\x90\x90"
# The place in the core image's first sector that says where the others are.
REST_SECTOR = slice(0x1F4, 0x1FC)


def boot_code(image: bytes, sector: int) -> bytes:
    """Return boot.img's code, which loads the sector and trusts the BIOS's drive number."""
    code = bytearray(image[:SECTOR])
    code[CORE_SECTOR] = sector.to_bytes(8, "little")
    code[DRIVE_CHECK] = NO_OPERATION
    return bytes(code[:CODE_END])


def core_image(image: bytes, sector: int) -> bytes:
    """Return the core image as it is when it begins at this sector, in one piece."""
    core = bytearray(image)
    core[REST_SECTOR] = (sector + 1).to_bytes(8, "little")
    return bytes(core)


def install(tree: Path, disk: Path) -> None:
    """Write boot record and core image, as grub-bios-setup does.

    grub-bios-setup itself asks the kernel for the partitions of the disk, which a loop device does
    not have everywhere.
    """
    sector = START // SECTOR
    boot = (tree / PLATFORM.modules / "boot.img").read_bytes()
    core = (tree / PLATFORM.folder / PLATFORM.core).read_bytes()
    with disk.open("r+b") as stream:
        stream.write(boot_code(boot, sector))
        stream.seek(START)
        stream.write(core_image(core, sector))


LOADER = Loader(
    packages=("grub", "grub-bios"),
    layout=LAYOUT,
    stage=partial(grub.stage, PLATFORM),
    install=install,
    configure=grub.configure,
    while_installing=grub.WHILE_INSTALLING,
)

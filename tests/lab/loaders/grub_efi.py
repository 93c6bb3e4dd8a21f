# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB on UEFI: a GPT whose first partition is the firmware's."""

from __future__ import annotations

from pathlib import Path

from ..commands import run
from ..layout import EFI_SYSTEM, MIB, SECTOR, START, Layout, Partition
from . import grub
from .loader import Loader

PLATFORM = grub.Platform("x86_64-efi", "core.efi")
ESP_SIZE = 64 * MIB
LAYOUT = Layout("gpt", Partition(EFI_SYSTEM, ESP_SIZE))
# Firmware starts this file when no boot entry of its own names another.
FALLBACK = "EFI/BOOT/BOOTX64.EFI"
MOUNT_POINT = "boot/efi"
VOLUME = "AF1E-0E5D"
# Where mformat leaves a partition table, which grub-probe would take for a nested one.
NESTED_TABLE = slice(0x1BE, 0x1FE)
# The pass is 0: no checker for this file system is installed.
FSTAB_LINE = f"UUID={VOLUME}\t/{MOUNT_POINT}\tvfat\trw,relatime 0 0\n"


def stage(tree: Path, uuid: str) -> None:
    """Put GRUB into /boot, and mount the ESP if the kernel can."""
    grub.stage(PLATFORM, tree, uuid)
    (tree / MOUNT_POINT).mkdir()
    if list(tree.glob("lib/modules/*/kernel/fs/fat/vfat.ko*")):
        with (tree / "etc/fstab").open("a", encoding="utf-8") as stream:
            stream.write(FSTAB_LINE)


def install(tree: Path, disk: Path) -> None:
    """Make the ESP's file system, and put the core image where firmware looks for it."""
    esp = f"{disk}@@{START}"
    size = ["-F", "-c", "1", "-T", str(ESP_SIZE // SECTOR)]
    run(["mformat", "-i", esp, *size, "-N", VOLUME.replace("-", ""), "::"], code="loader")
    with disk.open("r+b") as stream:
        stream.seek(START + NESTED_TABLE.start)
        stream.write(bytes(NESTED_TABLE.stop - NESTED_TABLE.start))
    run(["mmd", "-i", esp, "::/EFI", "::/EFI/BOOT"], code="loader")
    core = tree / PLATFORM.folder / PLATFORM.core
    run(["mcopy", "-i", esp, core, f"::/{FALLBACK}"], code="loader")


LOADER = Loader(
    packages=("grub", "grub-efi"),
    layout=LAYOUT,
    stage=stage,
    install=install,
    configure=grub.configure,
    uefi=True,
    while_installing=grub.WHILE_INSTALLING,
)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the partitions of a disk are; files are written at offsets, without device nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MIB = 1024 * 1024
SECTOR = 512
START = MIB
ROOT_SIZE = 1200 * MIB
# GPT keeps a second table at the end of the disk.
GPT_END = MIB

LINUX_TYPES = {"dos": "83, bootable", "gpt": "0FC63DAF-8483-4772-8E79-3D69D8477DE4"}
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


@dataclass(frozen=True)
class Partition:
    """A partition of a boot loader's own, before the root file system."""

    kind: str
    size: int


@dataclass(frozen=True)
class Layout:
    """A partition table; the root file system is in its last partition."""

    label: Literal["dos", "gpt"]
    boot: Partition | None = None

    @property
    def root_offset(self) -> int:
        return START + (self.boot.size if self.boot else 0)

    @property
    def disk_size(self) -> int:
        return self.root_offset + ROOT_SIZE + (GPT_END if self.label == "gpt" else 0)

    def script(self) -> str:
        """Return what sfdisk is told."""
        lines = [f"label: {self.label}"]
        if self.boot:
            lines.append(_line(START, self.boot.size, self.boot.kind))
        lines.append(_line(self.root_offset, ROOT_SIZE, LINUX_TYPES[self.label]))
        return "\n".join(lines) + "\n"

    def filesystem(self, disk: Path) -> str:
        """Return how e2fsprogs names the root file system inside a disk."""
        return f"{disk}?offset={self.root_offset}"


def _line(offset: int, size: int, kind: str) -> str:
    return f"start={offset // SECTOR}, size={size // SECTOR}, type={kind}"

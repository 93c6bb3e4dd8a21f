# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot loaders: what each puts on the disk, and where each keeps the command line.

A further loader is one more module with the same three functions and one more line in LOADERS.
"""

from __future__ import annotations

from pathlib import Path

from . import extlinux, grub_bios, grub_efi
from .loader import BootFiles, Loader, kernel_options

__all__ = ["LOADERS", "SOURCES", "BootFiles", "Loader", "kernel_options"]

LOADERS = {
    "extlinux": extlinux.LOADER,
    "grub": grub_bios.LOADER,
    "grub-efi": grub_efi.LOADER,
}
_FILES = tuple(f"loaders/{path.name}" for path in sorted(Path(__file__).parent.glob("*.py")))
SOURCES = (*_FILES, "files/grub-probe", "layout.py")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every boot loader of the lab is to the rest of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..layout import Layout

FILES = Path(__file__).parents[1] / "files"
MODULES = "sd-mod,usb-storage,ext4"


@dataclass(frozen=True)
class BootFiles:
    """What the boot menu is made from, kept beside the image."""

    uuid: str
    files: Mapping[str, str]
    """Path and text of files; of kernels and initramfs files only the names matter."""


@dataclass(frozen=True)
class Loader:
    """How one boot loader is installed and told the command line."""

    packages: tuple[str, ...]
    layout: Layout
    stage: Callable[[Path, str], None]
    """Put the loader's files into the tree, before the file system of this UUID is made."""
    install: Callable[[Path, Path], None]
    """Put the loader (from the tree) on the disk that holds the finished file system."""
    configure: Callable[[BootFiles, str], dict[str, str]]
    """Return the files, by path, that make the loader pass these kernel options."""
    uefi: bool = False
    while_installing: Mapping[str, str] = field(default_factory=dict)
    """Path and text of files that are in the tree only while apk fills it."""


def kernel_options(*, locked: bool = False, append: str = "") -> str:
    """Return the lab's kernel options, without root= and modules=.

    nokaslr makes the jump's time steady under emulation; a kernel that kexec started reads the
    same line, so kexec_load_disabled=0 keeps the chain of kexecs unbroken.
    """
    words = ["quiet", "rootfstype=ext4", "console=ttyS0,115200", "nokaslr"]
    if not locked:
        words.append("kexec_load_disabled=0")
    return " ".join([*words, *append.split()])

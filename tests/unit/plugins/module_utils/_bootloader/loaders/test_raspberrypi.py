# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cmdline.txt of a Raspberry Pi, read only if config.txt leaves it where it is."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    Entry,
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loaders import (
    raspberrypi,
)

DISKLESS = "modules=loop,squashfs,sd-mod,usb-storage quiet console=tty1"
INSTALLED = (
    "root=UUID=a22e8b58-0080-46d7-882a-347f73a074a2 modules=sd-mod,usb-storage,ext4 quiet "
    "rootfstype=ext4"
)

# As the package raspberrypi-bootloader's users get it on a boot medium for aarch64.
CONFIG = """\
# do not modify this file as it will be overwritten on upgrade.
# create and/or modify usercfg.txt instead.
# https://www.raspberrypi.com/documentation/computers/config_txt.html

kernel=boot/vmlinuz-rpi
initramfs boot/initramfs-rpi
arm_64bit=1
include usercfg.txt
"""

CMDLINES: dict[str, tuple[str, str]] = {
    "diskless": (f"{DISKLESS}\n", DISKLESS),
    "installed": (INSTALLED, INSTALLED),
    "the line end of a FAT medium": (f"{DISKLESS}\r\n", DISKLESS),
    "empty lines around": (f"\n {DISKLESS} \n\n", DISKLESS),
}

NOT_UNDERSTOOD: dict[str, tuple[str, str, str]] = {
    "an empty file": ("", CONFIG, "it has 0 lines instead of one"),
    "only empty lines": (" \n\n", CONFIG, "it has 0 lines instead of one"),
    "two lines": ("quiet\nroot=/dev/sda2\n", CONFIG, "it has 2 lines instead of one"),
    "another command line": (DISKLESS, "cmdline=mine.txt\n", "config.txt sets cmdline"),
    "another file": (DISKLESS, f"{CONFIG}include extra.txt\n", "config.txt includes extra.txt"),
    "another directory": (
        DISKLESS,
        f"{CONFIG}[pi4]\n os_prefix = new/\n",
        "config.txt sets os_prefix",
    ),
    "another command line behind a space": (
        DISKLESS,
        f"{CONFIG}cmdline mine.txt\n",
        "config.txt sets cmdline",
    ),
    "the directory of kernels from upstream": (
        DISKLESS,
        f"{CONFIG}upstream_kernel=1\n",
        "config.txt sets upstream_kernel",
    ),
}


@pytest.mark.parametrize(("text", "cmdline"), CMDLINES.values(), ids=CMDLINES)
def test_default_entry_names_no_kernel(text: str, cmdline: str) -> None:
    entry = raspberrypi.default_entry(text, CONFIG)
    assert entry == Entry("cmdline.txt", None, (), cmdline)


def test_default_entry_without_a_configuration() -> None:
    assert raspberrypi.default_entry(DISKLESS).cmdline == DISKLESS


@pytest.mark.parametrize("line", ["#cmdline=old.txt", "disable_commandline_tags=1", "cmdlines=x"])
def test_default_entry_leaves_other_lines_alone(line: str) -> None:
    assert raspberrypi.default_entry(DISKLESS, f"{line}\n").cmdline == DISKLESS


@pytest.mark.parametrize(("text", "config", "why"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_default_entry_is_not_understood(text: str, config: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        raspberrypi.default_entry(text, config)
    assert str(caught.value) == why

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An initramfs of a machine whose first program is another one."""

from __future__ import annotations

# A later archive overrides the files of an earlier one: the rest is the real initramfs.
SCRIPT = r"""
set -e
folder=$(mktemp -d)
cd "$folder"
printf '{init}' >init
chmod 755 init
cp -p /usr/share/mkinitfs/initramfs-init init.alpine
# An archive begins at a multiple of four bytes.
dd if=/boot/initramfs-virt of={path} bs=512 conv=sync
{ echo init; echo init.alpine; } | cpio -o -H newc >>{path}
rm -r "$folder"
"""

# A kernel that is up and a system that never gets any further, as a format of printf.
HANG = r"#!/bin/sh\necho It hangs >/dev/console\nwhile :; do /bin/busybox sleep 60; done\n"


# The one that mkinitfs has put there, for a program that goes on with it.
ALPINES = "/init.alpine"


def initramfs_with(init: str, path: str) -> str:
    """The shell script that makes it; init is a format of printf without single quotes."""
    return SCRIPT.replace("{init}", init).replace("{path}", path)

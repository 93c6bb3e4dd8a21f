# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script writes the first program, and the initramfs where it is asked for."""

from __future__ import annotations

from tests.plays import ALPINES, initramfs_with


def test_script_has_the_program_and_the_place() -> None:
    lines = initramfs_with(r"#!/bin/sh\nexit 1\n", "/boot/broken").splitlines()
    assert r"printf '#!/bin/sh\nexit 1\n' >init" in lines
    assert "dd if=/boot/initramfs-virt of=/boot/broken bs=512 conv=sync" in lines
    assert "{ echo init; echo init.alpine; } | cpio -o -H newc >>/boot/broken" in lines
    assert f"cp -p /usr/share/mkinitfs/initramfs-init {ALPINES.strip('/')}" in lines

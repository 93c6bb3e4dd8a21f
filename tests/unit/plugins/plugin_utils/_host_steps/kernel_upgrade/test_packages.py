# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages only a boot through firmware takes up."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.packages import (
    cold,
)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("intel-ucode", "microcode"),
        ("amd-ucode", "microcode"),
        ("syslinux", "the boot loader"),
        ("grub-efi", "the boot loader"),
        ("limine", "the boot loader"),
        ("u-boot-qemu", "the boot loader"),
        ("raspberrypi-bootloader", "the boot loader"),
        ("linux-firmware-i915", "firmware of devices"),
        ("linux-firmware", "firmware of devices"),
        ("sof-firmware", "firmware of devices"),
    ],
)
def test_package_that_firmware_must_take_up_is_named(name: str, what: str) -> None:
    assert cold([name]) == [
        f"A package with {what} has changed ({name}), which only a boot through firmware takes up."
    ]


@pytest.mark.parametrize(
    "name", ["linux-virt", "linux-lts", "musl", "openssl", "mkinitfs", "grubby"]
)
def test_other_packages_need_none(name: str) -> None:
    assert cold([name]) == []


def test_packages_of_one_kind_are_told_together() -> None:
    found = cold(["linux-firmware-b", "musl", "linux-firmware-a", "amd-ucode"])
    assert ["(linux-firmware-a, linux-firmware-b)" in each for each in found] == [True, False]
    assert "(amd-ucode)" in found[1]

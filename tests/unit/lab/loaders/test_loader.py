# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all boot loaders of the lab have in common."""

from __future__ import annotations

import pytest

from tests.lab import loaders
from tests.lab.loaders import LOADERS


@pytest.mark.parametrize(
    ("locked", "append", "expected"),
    [
        (False, "", "quiet rootfstype=ext4 console=ttyS0,115200 nokaslr kexec_load_disabled=0"),
        (True, "", "quiet rootfstype=ext4 console=ttyS0,115200 nokaslr"),
        (True, " panic=5  a ", "quiet rootfstype=ext4 console=ttyS0,115200 nokaslr panic=5 a"),
    ],
)
def test_kernel_options(locked: bool, append: str, expected: str) -> None:
    assert loaders.kernel_options(locked=locked, append=append) == expected


@pytest.mark.parametrize("name", LOADERS)
def test_sources_of_a_loader_enter_the_key(name: str) -> None:
    own = LOADERS[name].configure.__module__.rpartition(".")[2]
    assert f"loaders/{own}.py" in loaders.SOURCES
    assert all((loaders.loader.FILES.parent / source).is_file() for source in loaders.SOURCES)


@pytest.mark.parametrize(
    ("name", "packages", "uefi"),
    [
        ("extlinux", ("syslinux",), False),
        ("grub", ("grub", "grub-bios"), False),
        ("grub-efi", ("grub", "grub-efi"), True),
    ],
)
def test_loaders_have_alpines_packages_and_a_firmware(
    name: str, packages: tuple[str, ...], uefi: bool
) -> None:
    assert (LOADERS[name].packages, LOADERS[name].uefi) == (packages, uefi)

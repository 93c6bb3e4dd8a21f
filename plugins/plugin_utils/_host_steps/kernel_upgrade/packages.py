# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Packages of which a change takes effect only when firmware has started the machine."""

from __future__ import annotations

import fnmatch
import typing as t

# By what they have; a pattern fits names as in a shell.
COLD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("microcode", ("*-ucode",)),
    (
        "the boot loader",
        (
            *("syslinux", "grub", "grub-*", "limine", "limine-*", "systemd-boot", "gummiboot"),
            *("u-boot", "u-boot-*", "raspberrypi-bootloader", "raspberrypi-bootloader-*"),
            *("s390-tools", "sbctl", "efi-mkuki", "secureboot-hook", "refind"),
        ),
    ),
    ("firmware of devices", ("linux-firmware", "linux-firmware-*", "sof-firmware", "*-firmware")),
)


def cold(names: t.Iterable[str]) -> list[str]:
    """Why firmware must start the machine after such packages have changed, in sentences."""
    found: dict[str, list[str]] = {}
    for name in names:
        what = _what(name)
        if what:
            found.setdefault(what, []).append(name)
    return [
        f"A package with {what} has changed ({', '.join(sorted(packages))}), which only a boot through "
        "firmware takes up."
        for what, packages in found.items()
    ]


def _what(name: str) -> str:
    """What a package has that is of importance here, "" of any other."""
    fitting = (
        what for what, patterns in COLD if any(fnmatch.fnmatchcase(name, each) for each in patterns)
    )
    return next(fitting, "")

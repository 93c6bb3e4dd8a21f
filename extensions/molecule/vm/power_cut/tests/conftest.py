# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines whose power fails after each of their writes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.lab.power.judge import Image, Known
from tests.lab.power.walk import Run
from tests.plays import MENUS, Cuts, Machine, Supply, image_of, sums

KERNEL = "/boot/vmlinuz-virt"
INITRAMFS = "/boot/initramfs-virt"


class Host(Machine):
    """A machine with a log of all writes to its disk."""


@dataclass
class Watch:
    """What a machine's disk was, is, and was ever meant to hold."""

    cuts: Cuts[Host]
    image: Image
    menus: list[str] = field(default_factory=list)

    @property
    def host(self) -> Host:
        return self.cuts.host

    def note(self) -> None:
        """Take down which menu is meant to be there now."""
        self.menus += sums(self.host, MENUS[self.cuts.loader].path)

    def judge(self) -> list[Run]:
        """Let the power fail, and look at what each moment before would have left."""
        return self.cuts.judge(Known(frozenset(self.menus), {self.image: "installed"}))


def watch(machines: Supply, loader: str) -> Watch:
    """Take a machine, and note what is there at the start."""
    host = machines.take(Host, loader)
    found = Watch(Cuts(host, loader), image_of(host, KERNEL, INITRAMFS))
    found.note()
    return found

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, and what is asked of them."""

from __future__ import annotations

import json
import typing as t

from tests import lab
from tests.plays import MENUS, Machine, PlayRun, Supply

from .variables import (
    ENTRY,
    JOURNAL,
    KERNEL_UPGRADE,
    PLAIN,
    SLOT_PARAMETER,
    TRIAL_PARAMETER,
    UPGRADE,
)

LOADERS = tuple(MENUS)
# A driver of Alpine's kernel package that is in no initramfs, and that nothing loads by itself.
MODULE = "dummy"
# Every file that modules.dep names and that is not there, and what does not get loaded.
LOST_MODULES = """
cd /lib/modules/$(uname -r) || exit 1
cut -d: -f1 modules.dep | while read -r file; do [ -e "$file" ] || echo "$file is not there"; done
modprobe %(module)s 2>&1 || echo "%(module)s is not loaded"
modprobe -r %(module)s
"""
# How one boot of another entry is ordered.
ONCE = {
    "extlinux": "extlinux --once={} /boot",
    "grub-efi": "grub-reboot {}",
}


class Slots(t.NamedTuple):
    """What kernel_slot tells of a host."""

    good: str | None
    previous: str | None
    running: str | None
    names: frozenset[str]
    candidate: dict[str, t.Any]


class Host(Machine):
    """A machine whose kernel is upgraded."""

    def shell(self, command: str) -> str:
        return lab.shell(lab.find(self.name), command)

    def console(self) -> str:
        return lab.console(lab.find(self.name))

    def release(self) -> str:
        return self.read("/proc/sys/kernel/osrelease")

    def slots(self) -> Slots:
        told = self.module("kernel_slot").result
        names = frozenset(slot["id"] for slot in told["slots"])
        return Slots(told["good"], told["previous"], told["running"], names, told["candidate"])

    def trial(self) -> dict[str, t.Any]:
        """What kernel_trial tells."""
        return self.module("kernel_trial").result

    def journal(self) -> dict[str, t.Any]:
        """What the host's journal has of its trial, without Ansible; empty if it cannot be read now."""
        try:
            found: dict[str, t.Any] = json.loads(self.shell(f"cat {JOURNAL}"))
        except ValueError:
            return {}
        return found["trial"] or {}

    def reached(self) -> str:
        """How far its trial is, without Ansible, in the words of kernel_trial; empty if that is not known."""
        step = str(self.journal().get("step", ""))
        if step == "armed" and TRIAL_PARAMETER in self.shell("cat /proc/cmdline"):
            return "on_trial"
        return step

    def upgrade(self, *options: str, **variables: t.Any) -> PlayRun:
        """Run the playbook."""
        return self.play(KERNEL_UPGRADE, *options, **{**PLAIN, **variables})

    def apk_upgrade(self) -> None:
        """Upgrade the package by hand, and nothing else."""
        self.host.check_output(UPGRADE)

    def reboot(self) -> lab.Ending:
        """Reboot as somebody does at a shell, who knows of nothing; services are set to on_request."""
        record = lab.find(self.name)
        order = "(sleep 1; reboot) </dev/null >/dev/null 2>&1 &"
        return lab.ending(record, lambda: lab.ssh(record, order))

    def boot_once(self, loader: str, slot: str) -> lab.Ending:
        """Boot the entry of a slot once, as an operator does."""
        self.host.check_output(ONCE[loader].format(ENTRY.format(slot)))
        return self.reboot()

    def lost_modules(self) -> str:
        """What is wrong with the modules of the kernel that runs."""
        return str(self.host.check_output("sh -c %s", LOST_MODULES % {"module": MODULE}))

    def slot_parameter(self) -> str:
        """The slot that the command line of this boot names."""
        words = self.read("/proc/cmdline").split()
        found = [word for word in words if word.startswith(SLOT_PARAMETER)]
        return found[-1].removeprefix(SLOT_PARAMETER) if found else ""


def take(machines: Supply, loader: str) -> Host:
    """A machine that firmware boots from a slot."""
    return machines.take(Host, loader)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot a host runs and how it came up, by its kernel's word and nobody else's."""

from __future__ import annotations

from dataclasses import dataclass

# One command, so that all answers are of the same boot.
QUESTION = """cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/osrelease \\
/proc/sys/kernel/bootloader_type /proc/cmdline"""

# What kexec-tools say to an x86 kernel about who loaded it; a boot loader has another number.
KEXEC_LOADER = "208"


@dataclass(frozen=True)
class Boot:
    """One boot of a host."""

    boot_id: str
    kernel: str
    loader: str
    cmdline: str

    @property
    def method(self) -> str:
        return "kexec" if self.loader == KEXEC_LOADER else "firmware"


def parse(answer: str) -> Boot:
    """Return the boot that answered the question."""
    boot_id, kernel, loader, cmdline = (line.strip() for line in answer.splitlines())
    return Boot(boot_id, kernel, loader, cmdline)


@dataclass(frozen=True)
class Reboot:
    """One reboot: what was there before and after it, and how long nothing was."""

    by: str
    before: Boot
    after: Boot
    downtime: float

    @property
    def proven(self) -> bool:
        return self.before.boot_id != self.after.boot_id

    def as_dict(self) -> dict[str, object]:
        return {
            "by": self.by,
            "method": self.after.method,
            "downtime": round(self.downtime, 1),
            "release": {"before": self.before.kernel, "after": self.after.kernel},
            "boot_id": {"before": self.before.boot_id, "after": self.after.boot_id},
            "cmdline": {"before": self.before.cmdline, "after": self.after.cmdline},
        }

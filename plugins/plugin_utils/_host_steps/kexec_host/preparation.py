# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What an operator wants of a host that is to reboot through kexec, and what that sets on it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline

from ..._step import handed

UNLOCK = _cmdline.UNLOCK_PARAMETER
PANIC = "panic"
SURVIVE = "watchdog.stop_on_reboot"


@dataclass(frozen=True)
class Preparation:
    """As much of the frozen variables of kexec_host as something is decided by."""

    state: t.Literal["present", "absent"]
    panic_timeout: int
    remove_lock: bool
    services: bool
    watchdog: bool
    mode: t.Literal["on_request", "every_reboot"]
    reboot_allowed: bool

    @classmethod
    def from_dict(cls, wanted: t.Mapping[str, t.Any]) -> Preparation:
        return handed(cls, wanted, option="wanted", by="freeze_variables has")

    @property
    def replaces_reboot(self) -> bool:
        """Whether the command reboot is to be the one that goes through kexec."""
        return self.state == "present" and self.services and self.mode == "every_reboot"


def parameters(wanted: Preparation) -> list[dict[str, str]]:
    """The options of boot_parameter for what has to stand on the command line."""
    found = {UNLOCK: "0"}
    if wanted.panic_timeout:
        found[PANIC] = str(wanted.panic_timeout)
    if wanted.watchdog:
        found[SURVIVE] = "0"
    return [{"name": name, "value": value} for name, value in found.items()]

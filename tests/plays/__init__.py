# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests on machines have in common: playbooks run as a user does, and hosts looked at."""

from __future__ import annotations

from .cuts import MENUS, WRITTEN_BACK, Cuts, image_of, sums
from .extent import EXHAUSTIVE, only_in_full
from .initramfs import ALPINES, HANG, initramfs_with
from .machine import Machine, State
from .run import (
    FAST_REBOOT,
    DeprecatedError,
    PlayRun,
    TaskResult,
    codes_of,
    interrupt_playbook,
    kill_playbook,
    run_playbook,
)
from .supply import Supply

__all__ = [
    "ALPINES",
    "EXHAUSTIVE",
    "FAST_REBOOT",
    "HANG",
    "MENUS",
    "WRITTEN_BACK",
    "Cuts",
    "DeprecatedError",
    "Machine",
    "PlayRun",
    "State",
    "Supply",
    "TaskResult",
    "codes_of",
    "image_of",
    "initramfs_with",
    "interrupt_playbook",
    "kill_playbook",
    "only_in_full",
    "run_playbook",
    "sums",
]

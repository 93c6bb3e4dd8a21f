# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab: genuine Alpine machines in QEMU, from package registries only."""

from __future__ import annotations

from .api import Lab
from .cli import spec_of
from .config import ImageSpec, MachineSpec
from .endings import KEXEC_TYPE, Ending, boot_of, bring_back, console, ending, shell
from .errors import LabError
from .inventory import render, ssh
from .loaders import LOADERS
from .machine import banner, power_button, power_cycle, power_on, pull_plug, wait_for_login
from .progress import Progress
from .records import Record, find
from .snapshot import Snapshot, take
from .states import Preparation, booted, prepared

__all__ = [
    "KEXEC_TYPE",
    "LOADERS",
    "Ending",
    "ImageSpec",
    "Lab",
    "LabError",
    "MachineSpec",
    "Preparation",
    "Progress",
    "Record",
    "Snapshot",
    "banner",
    "boot_of",
    "booted",
    "bring_back",
    "console",
    "ending",
    "find",
    "power_button",
    "power_cycle",
    "power_on",
    "prepared",
    "pull_plug",
    "render",
    "shell",
    "spec_of",
    "ssh",
    "take",
    "wait_for_login",
]

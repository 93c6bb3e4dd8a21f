# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.
"""A /boot that is to be mounted and is not: what lies in its directory is of another time."""

from __future__ import annotations

import typing as t

from ..._host import mounts
from ..._host.port import Host
from ..._reasons import Reason
from .check import Check

BOOT = "/boot/"


def read(host: Host) -> str | None:
    return mounts.unmounted(host, BOOT)


def judge(point: str | None) -> t.Iterator[Reason]:
    if point is not None:
        yield mounts.not_mounted(point)


BOOT_MOUNT = Check("boot_mount", read, judge)

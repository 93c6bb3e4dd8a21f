# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Which boot of the host runs, and for how long."""

from __future__ import annotations

import re
import uuid

from .port import Host


def valid_boot_id(text: str | None) -> str | None:
    """A boot_id counts only if it is a UUID."""
    try:
        return str(uuid.UUID((text or "").strip()))
    except ValueError:
        return None


def uptime(host: Host) -> float | None:
    """Seconds since the host booted, by its own clock."""
    match = re.match(r"\d+(\.\d+)?", host.text("/proc/uptime") or "")
    return float(match.group()) if match else None


# What kernels of x86 report of what started them, and what kexec-tools leave there.
LOADER_TYPE = "/proc/sys/kernel/bootloader_type"
KEXEC_LOADER_TYPE = "208"


def started_by_kexec(host: Host) -> bool | None:
    """Whether a kexec started the running kernel, None where kernels do not report it."""
    reported = host.line(LOADER_TYPE)
    return None if not reported else reported == KEXEC_LOADER_TYPE

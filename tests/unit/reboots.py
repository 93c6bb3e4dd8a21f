# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task of kexec_reboot returns, for what goes on from it."""

from __future__ import annotations

import typing as t
from pathlib import Path

# The boot that a reboot led to is one that can be asked for.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def result(**changes: t.Any) -> dict[str, t.Any]:
    """It proved a reboot."""
    return {
        "changed": True,
        "rebooted": True,
        "method": "kexec",
        "reasons": [],
        "boot_id": {"before": "before", "after": BOOT_ID},
        "release": {"before": "6.18.38-0-virt", "after": "6.18.56-0-virt"},
        "cmdline": {"before": "quiet", "after": "quiet"},
        "downtime": 5.5,
        "elapsed": 10.0,
        "timings": {"down": 5.0},
        **changes,
    }


def reason(code: str, blocks: str = "reboot") -> dict[str, str]:
    return {"code": code, "message": f"This is {code}.", "remedy": "Do.", "blocks": blocks}


def failure(code: str, stage: str, rebooted: bool | None, **changes: t.Any) -> dict[str, t.Any]:
    """It failed."""
    told = {"failed": True, "msg": code, "reason": reason(code), "stage": stage}
    after = {"method": None, "boot_id": {"before": "before", "after": None}, "downtime": None}
    return result(**after, rebooted=rebooted, **told, **changes)


def order(**changes: t.Any) -> dict[str, t.Any]:
    """It ordered a reboot of web1, and did not wait."""
    return {
        "host": "web1",
        "hardware_id": None,
        "method": "kexec",
        "fallback": "fail",
        "token": "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d",
        "boot_id": "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77",
        "expires": 4020,
        "mark": "0" * 32,
        "release": None,
        "firmware_release": None,
        "loader_ends_in_kexec": False,
        "acknowledged": True,
        "running_release": None,
        "running_cmdline": None,
        "services": [],
        **changes,
    }


GONE = failure("did_not_return", "down", None, last_error="timed out")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a machine's boot ends: in which other boot, powered off, or halted."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Literal

from . import machine, records
from .errors import LabError
from .inventory import ssh
from .progress import Progress
from .records import Record

Ending = Literal["kexec", "firmware", "off", "halted"]

# What kexec-tools report to the kernel as its boot loader, on x86.
KEXEC_TYPE = "208"
HALTED = "reboot: System halted"
ENDING_SECONDS = 600.0
LOGIN_SECONDS = 600.0


def shell(record: Record, command: str, timeout: float = 60) -> str:
    """Run a shell command on the machine; return what it printed, nothing if it could not."""
    try:
        return ssh(record, command, "-o", "ConnectTimeout=10", timeout=timeout).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def console(record: Record) -> str:
    """Return all that the serial console has shown."""
    return record.serial_log.read_text(encoding="utf-8", errors="replace")


def boot_of(record: Record) -> tuple[str, str]:
    """Return the boot_id and the kernel's word on its boot loader."""
    said = shell(record, "cd /proc/sys/kernel && cat random/boot_id bootloader_type").split()
    return (said[0], said[1]) if len(said) == 2 else ("", "")


def ending(record: Record, act: Callable[[], object], within: float = ENDING_SECONDS) -> Ending:
    """Do something that ends the machine's boot, and tell how it ended."""
    before, _type = boot_of(record)
    seen = len(console(record))
    act()
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = _look(record, before, seen)
        if found is not None:
            return found
        time.sleep(0.5)
    raise LabError(
        "no-end",
        f"machine {record.name!r} neither left its boot nor came back in {within:.0f} s; "
        f"{_answer(record, before)}, and its console ends with\n{machine.last_lines(record)}",
        "see by the console how far it came",
    )


def _answer(record: Record, before: str) -> str:
    boot, _loader = boot_of(record)
    return f"it answers as boot {boot!r}, and was {before!r}"


def _look(record: Record, before: str, seen: int) -> Ending | None:
    if records.read_pid(record.path) is None:
        return "off"
    if HALTED in console(record)[seen:]:
        return "halted"
    if not machine.banner(record.port):
        return None
    boot, loader = boot_of(record)
    if boot in ("", before):
        return None
    return "kexec" if loader == KEXEC_TYPE else "firmware"


def bring_back(record: Record, found: Ending) -> None:
    """Start a machine that was powered off, and reset one that was halted."""
    if found == "off":
        machine.power_on(record.name, LOGIN_SECONDS, Progress(quiet=True))
    elif found == "halted":
        machine.power_cycle(record.name)
        machine.wait_for_login(record, LOGIN_SECONDS)

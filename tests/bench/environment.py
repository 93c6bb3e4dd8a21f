# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine on which it is measured: figures of another one are other figures."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from tests.lab import LabError, Progress
from tests.lab.emulator import ensure_emulator
from tests.lab.qemu import kvm_works


def describe() -> dict[str, str]:
    """Return what decides how fast this machine is, and the versions of what is compared."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": _processor(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "hardware virtualisation": "KVM" if kvm_works() else "none, software emulation",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "kernel": platform.release(),
        "Python": platform.python_version(),
        "ansible-core": importlib.metadata.version("ansible-core"),
        "OpenSSH": _first_line(["ssh", "-V"]),
        "QEMU": _emulator(),
    }


def _emulator() -> str:
    try:
        return ensure_emulator(Progress(quiet=True)).title
    except LabError as error:
        return error.found


def _processor(text: str) -> str:
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _first_line(command: list[str]) -> str:
    """Return what a program says of its version; ssh says it on its error output."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except FileNotFoundError:
        return "not installed"
    return done.stdout.partition("\n")[0].strip()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the running kernel says: which boot it is, what started it, whether it may load an image."""

from __future__ import annotations

import errno
import os
import re
import struct
import uuid

from .port import Host

try:
    import ctypes
except ImportError:  # Python can be built without it.
    HAS_CTYPES = False
else:
    HAS_CTYPES = True

# What kernels of x86 report of what started them, and what kexec-tools leave there.
LOADER_TYPE = "/proc/sys/kernel/bootloader_type"
KEXEC_LOADER_TYPE = "208"

# The number of the kexec_load system call by "uname -m", for processes as wide as the kernel.
SYSCALLS: dict[str, int] = {
    "x86_64": 246,
    "aarch64": 104,
    "loongarch64": 104,
    "riscv64": 104,
    "ppc64le": 268,
    "s390x": 277,
}

# Not one of the kernel's KEXEC_ flags, and more segments than it takes: a kernel that would allow
# a load refuses this call as invalid before it touches anything.
INVALID_FLAGS = 0x8000
TOO_MANY_SEGMENTS = 0xFFFF


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


def started_by_kexec(host: Host) -> bool | None:
    """Whether a kexec started the running kernel, None where kernels do not report it."""
    reported = host.line(LOADER_TYPE)
    return None if not reported else reported == KEXEC_LOADER_TYPE


def ask_kexec() -> str | None:
    """The kernel's own answer to whether this process may load an image, as the name of an error.

    EINVAL means yes, EPERM forbidden, ENOSYS not built, None unknown.

    The caller must not ask where kernel.kexec_load_limit_reboot is set: the question would count.
    """
    number = SYSCALLS.get(os.uname().machine)
    if number is None or struct.calcsize("P") != 8 or not HAS_CTYPES:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    answer = library.syscall(
        ctypes.c_long(number),
        ctypes.c_ulong(0),
        ctypes.c_ulong(TOO_MANY_SEGMENTS),
        ctypes.c_void_p(None),
        ctypes.c_ulong(INVALID_FLAGS),
    )
    return errno.errorcode.get(ctypes.get_errno()) if answer == -1 else None

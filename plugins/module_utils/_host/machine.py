# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What firmware and the running kernel say: which machine it is, which boot, and of kexec there."""

from __future__ import annotations

import errno
import os
import re
import struct
import typing as t
import uuid
from dataclasses import dataclass

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

LOADED = "/sys/kernel/kexec_loaded"

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

RUNLEVELS = "/etc/runlevels"

# The number of the kexec_load system call by "uname -m", for processes as wide as the kernel.
SYSCALLS: dict[str, int] = {
    "x86_64": 246,
    "aarch64": 104,
    "loongarch64": 104,
    "riscv64": 104,
    "ppc64le": 268,
    "s390x": 277,
}

# No flag of the kernel's, and more segments than it takes: where a load is allowed, this is invalid.
INVALID_FLAGS = 0x8000
TOO_MANY_SEGMENTS = 0xFFFF


# --- The running kernel --------------------------------------------------------------------


def valid_boot_id(text: str | None) -> str | None:
    """A boot_id counts only if it is a UUID."""
    try:
        return str(uuid.UUID((text or "").strip()))
    except ValueError:
        return None


def uptime(text: str | None) -> float | None:
    """Seconds since the boot, from what /proc/uptime says."""
    match = re.match(r"\d+(\.\d+)?", text or "")
    return float(match.group()) if match else None


def services(host: Host, *levels: str) -> set[str]:
    """The services of some runlevels, or of all."""
    found = levels or host.names(RUNLEVELS)
    return {name for level in found for name in host.names(f"{RUNLEVELS}/{level}")}


def secure_boot(host: Host) -> bool | None:
    """Four bytes of attributes, then the value; no variable on a host without UEFI."""
    if not host.exists("/sys/firmware/efi"):
        return False
    content = host.content(SECURE_BOOT)
    return None if content is None or len(content) < 5 else content[4] == 1


def started_by_kexec(host: Host) -> bool | None:
    """Whether a kexec started the running kernel, None where kernels do not report it."""
    reported = host.line(LOADER_TYPE)
    return None if not reported else reported == KEXEC_LOADER_TYPE


def holds_image(host: Host) -> bool:
    """Whether an image is loaded."""
    return host.number(LOADED) == 1


def call_library(name: str, *numbers: int) -> int | None:
    """The error of a function of the C library: 0 for none, None if there is no such one."""
    found = getattr(ctypes.CDLL(None, use_errno=True), name, None) if HAS_CTYPES else None
    if found is None:
        return None
    return (ctypes.get_errno() or errno.EIO) if found(*map(ctypes.c_long, numbers)) == -1 else 0


def ask_kexec() -> str | None:
    """The kernel's own answer to whether this process may load an image, as the name of an error.

    EINVAL means yes, EPERM forbidden, ENOSYS not built, None unknown.

    The caller must not ask where kernel.kexec_load_limit_reboot is set: the question would count.
    """
    number = SYSCALLS.get(os.uname().machine)
    if number is None or struct.calcsize("P") != 8:
        return None
    error = call_library("syscall", number, 0, TOO_MANY_SEGMENTS, 0, INVALID_FLAGS)
    return errno.errorcode.get(error) if error else None


# --- The machine, and platforms on which kexec is known to hang ------------------------------

DMI = "/sys/class/dmi/id"
DMI_FIELDS = ("sys_vendor", "product_name", "chassis_asset_tag")
DEVICE_TREE_MODEL = "/proc/device-tree/model"
# What no two machines share, by its kind; observe.sh asks for the same, in the same order.
HARDWARE_IDS = {"dmi": f"{DMI}/product_uuid", "tree": "/proc/device-tree/serial-number"}

AZURE_ASSET_TAG = "7783-7084-3265-9085-8269-3286-77"


@dataclass(frozen=True)
class Denied:
    """A platform and the fields, with the start of their values, that give it away."""

    name: str
    fields: t.Mapping[str, str]
    why: str


DENIED: tuple[Denied, ...] = (
    Denied(
        "Google Compute Engine",
        {"product_name": "Google Compute Engine"},
        "virtual machines there are known to get stuck in kexec",
    ),
    Denied(
        "Microsoft Azure",
        {"sys_vendor": "Microsoft Corporation", "chassis_asset_tag": AZURE_ASSET_TAG},
        "virtual machines there are known to get stuck in kexec",
    ),
    Denied(
        "Raspberry Pi",
        {"model": "Raspberry Pi"},
        "its firmware does not set up the devices again that kexec leaves in use",
    ),
    Denied(
        "Rock Pi",
        {"model": "Radxa ROCK Pi"},
        "its firmware does not set up the devices again that kexec leaves in use",
    ),
)


def identify(host: Host) -> dict[str, str]:
    """What the firmware says of the machine, without what it leaves empty."""
    fields = {name: host.text(f"{DMI}/{name}") for name in DMI_FIELDS}
    fields["model"] = host.text(DEVICE_TREE_MODEL)
    stripped = {name: (text or "").strip("\0\n ") for name, text in fields.items()}
    return {name: text for name, text in stripped.items() if text}


def hardware_id(host: Host) -> str | None:
    """The machine's own number, which no reboot changes; None where firmware gives it none."""
    for kind, path in HARDWARE_IDS.items():
        number = canonical_hardware_id(host.text(path))
        if number is not None:
            return f"{kind}:{number}"
    return None


def canonical_hardware_id(text: str | None) -> str | None:
    """One way to write it: kernels and firmware do not agree about capitals."""
    return (text or "").strip("\0\n ").lower() or None


def names(fields: t.Mapping[str, str]) -> tuple[str, ...]:
    """What the platform may be called, the name that tells most first."""
    vendor, product = fields.get("sys_vendor", ""), fields.get("product_name", "")
    candidates = (f"{vendor} {product}" if product else "", product, fields.get("model", ""))
    return tuple(dict.fromkeys(" ".join(name.split()) for name in candidates if name.strip()))


def name_in(fields: t.Mapping[str, str], wanted: t.Iterable[str]) -> str | None:
    """The name of the platform that is in a user's list, whatever its case and spaces."""
    listed = {" ".join(name.split()).casefold() for name in wanted}
    return next((name for name in names(fields) if name.casefold() in listed), None)


def denied(fields: t.Mapping[str, str]) -> Denied | None:
    """The known-bad platform that these fields describe, if any."""
    for platform in DENIED:
        if all(fields.get(name, "").startswith(start) for name, start in platform.fields.items()):
            return platform
    return None

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Reasons: a stable code, what was found, the remedy, and how far it blocks a reboot."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

# "nothing" is advice, "kexec" leaves a reboot through firmware open, "reboot" means that no
# reboot of any kind is safe, or that the request itself is wrong.
Blocks = t.Literal["nothing", "kexec", "reboot"]


@dataclass(frozen=True)
class Code:
    """What is fixed about a reason code."""

    blocks: Blocks
    # Whether a user may take it for mere advice.
    ignorable: bool = False


# The stable vocabulary of this collection. The documentation says what each means, and a test
# compares the two.
CODES: dict[str, Code] = {
    # The kernel that runs now cannot load an image.
    "no_kexec_support": Code("kexec"),
    "no_kexec_tools": Code("kexec"),
    "kexec_locked": Code("kexec"),
    "kexec_relocked": Code("kexec"),
    "kexec_frozen": Code("kexec"),
    "kexec_limit_reached": Code("kexec"),
    "lockdown": Code("kexec"),
    "no_cap_sys_boot": Code("kexec"),
    "kexec_denied": Code("kexec"),
    "memory_low": Code("kexec", ignorable=True),
    "platform_denied": Code("kexec", ignorable=True),
    "hypervisor": Code("kexec"),
    "boot_not_mounted": Code("kexec"),
    "kexec_hung": Code("kexec", ignorable=True),
    "starts_no_linux": Code("kexec", ignorable=True),
    "boot_files_elsewhere": Code("kexec"),
    "no_openrc": Code("kexec"),
    "load_failed": Code("kexec"),
    "unload_failed": Code("kexec"),
    # The host, or what it would boot, is not fit for any reboot, or the request is wrong.
    "target_is_controller": Code("reboot"),
    "container": Code("reboot"),
    "not_root": Code("reboot"),
    "already_leaving": Code("reboot"),
    "kexec_services": Code("reboot"),
    "load_in_progress": Code("reboot"),
    "kernel_missing": Code("reboot"),
    "kernel_invalid": Code("reboot"),
    "kernel_truncated": Code("reboot"),
    "kernel_wrong_architecture": Code("reboot"),
    "initramfs_missing": Code("reboot"),
    "initramfs_invalid": Code("reboot"),
    "initramfs_truncated": Code("reboot"),
    "initramfs_mismatch": Code("reboot", ignorable=True),
    "modules_missing": Code("reboot", ignorable=True),
    "path_invalid": Code("reboot"),
    "path_unreadable": Code("reboot"),
    "flavour_unknown": Code("reboot"),
    "flavour_ambiguous": Code("kexec"),
    "cmdline_invalid": Code("reboot"),
    "cmdline_too_long": Code("reboot"),
    "cmdline_unknown": Code("kexec"),
    # Worth knowing, no obstacle.
    "next_boot_locks": Code("nothing"),
    "boot_loader_not_found": Code("nothing"),
    "boot_loader_ambiguous": Code("nothing"),
    "boot_loader_not_understood": Code("nothing"),
    # The boot loader's configuration stays, or is again, as it was.
    "boot_config_unwritable": Code("nothing"),
    "boot_menu_not_regenerated": Code("nothing"),
    "boot_config_damaged": Code("reboot"),
    "parameter_invalid": Code("nothing"),
    "cmdline_drift": Code("nothing"),
    "initramfs_unverified": Code("nothing"),
    "passphrase_needed": Code("nothing"),
    "initramfs_lacks_module": Code("nothing"),
    "hang_uncovered": Code("nothing"),
    "panic_hangs": Code("nothing"),
}

IGNORABLE: tuple[str, ...] = tuple(sorted(code for code, fixed in CODES.items() if fixed.ignorable))


@dataclass(frozen=True)
class Reason:
    """One finding about a host or a request."""

    code: str
    message: str
    remedy: str
    blocks: Blocks

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class ReasonError(Exception):
    """A finding that ends the work at once."""

    def __init__(self, reason: Reason, **details: t.Any) -> None:
        super().__init__(sentence(reason))
        self.reason = reason
        self.details = details


def reason(code: str, message: str, remedy: str, blocks: Blocks | None = None) -> Reason:
    """Make a reason; the code decides how far it blocks unless the caller knows better."""
    return Reason(code, message, remedy, blocks or CODES[code].blocks)


def ignore(reasons: t.Iterable[Reason], codes: t.Collection[str]) -> tuple[Reason, ...]:
    """Turn the reasons that the user chose to ignore into advice."""
    return tuple(
        Reason(found.code, found.message, found.remedy, "nothing")
        if found.code in codes and CODES[found.code].ignorable
        else found
        for found in reasons
    )


def blocking(reasons: t.Iterable[Reason], *levels: Blocks) -> tuple[Reason, ...]:
    """The reasons that block at one of the levels."""
    return tuple(found for found in reasons if found.blocks in levels)


def sentence(found: Reason) -> str:
    """A reason as a user reads it."""
    return f"{found.message} {found.remedy}"

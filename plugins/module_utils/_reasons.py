# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Reasons: a stable code, what was found, the remedy, and how far it blocks a reboot."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

# "nothing" is advice, "kexec" leaves a reboot through firmware open, "reboot" means that no
# reboot of any kind is safe, or that the request itself is wrong.
Blocks = t.Literal["nothing", "kexec", "reboot"]


# The stable vocabulary of this collection. The documentation says what each means, and a test
# compares the two.
VOCABULARY: dict[str, Blocks] = {
    # The kernel that runs now cannot load an image.
    "no_kexec_support": "kexec",
    "no_kexec_tools": "kexec",
    "kexec_locked": "kexec",
    "kexec_relocked": "kexec",
    "kexec_frozen": "kexec",
    "kexec_limit_reached": "kexec",
    "lockdown": "kexec",
    "no_cap_sys_boot": "kexec",
    "kexec_denied": "kexec",
    "memory_low": "kexec",
    "platform_denied": "kexec",
    "hypervisor": "kexec",
    "boot_not_mounted": "kexec",
    "kexec_hung": "kexec",
    "starts_no_linux": "kexec",
    "boot_files_elsewhere": "kexec",
    "no_openrc": "kexec",
    "load_failed": "kexec",
    "unload_failed": "kexec",
    # The host, or what it would boot, is not fit for any reboot, or the request is wrong.
    "target_is_controller": "reboot",
    "container": "reboot",
    "not_root": "reboot",
    "already_leaving": "reboot",
    "kexec_services": "reboot",
    "load_in_progress": "reboot",
    "kernel_missing": "reboot",
    "kernel_invalid": "reboot",
    "kernel_truncated": "reboot",
    "kernel_wrong_architecture": "reboot",
    "initramfs_missing": "reboot",
    "initramfs_invalid": "reboot",
    "initramfs_truncated": "reboot",
    "initramfs_mismatch": "reboot",
    "modules_missing": "reboot",
    "path_invalid": "reboot",
    "path_unreadable": "reboot",
    "flavour_unknown": "reboot",
    "flavour_ambiguous": "kexec",
    "cmdline_invalid": "reboot",
    "cmdline_too_long": "reboot",
    "cmdline_unknown": "kexec",
    "slot_damaged": "reboot",
    # Worth knowing, no obstacle.
    "next_boot_locks": "nothing",
    "boot_loader_not_found": "nothing",
    "boot_loader_ambiguous": "nothing",
    "boot_loader_not_understood": "nothing",
    # The boot loader's configuration stays, or is again, as it was.
    "boot_config_unwritable": "nothing",
    "boot_menu_not_regenerated": "nothing",
    "boot_config_damaged": "reboot",
    # Slots, of which the menu says nothing then, or what it said before.
    "slots_unsupported": "nothing",
    "slots_edited": "nothing",
    "slot_invalid": "nothing",
    "cold_proof_unsupported": "nothing",
    "parameter_invalid": "nothing",
    "origin_not_understood": "nothing",
    "package_unknown": "nothing",
    # Slots. What firmware boots stays as it was.
    "slot_in_use": "nothing",
    "slot_source_changed": "nothing",
    "slot_unknown": "nothing",
    "slots_unguarded": "nothing",
    "space_low": "nothing",
    # Trials of kernels. What firmware boots stays as it was.
    "build_refused": "nothing",
    "slots_missing": "nothing",
    "trial_left_running": "nothing",
    "trial_not_running": "nothing",
    "trial_not_understood": "nothing",
    "trial_of_another": "nothing",
    "trial_over": "nothing",
    "trial_unchecked": "nothing",
    "cmdline_drift": "nothing",
    "initramfs_unverified": "nothing",
    "passphrase_needed": "nothing",
    "initramfs_lacks_module": "nothing",
    "hang_uncovered": "nothing",
    "panic_hangs": "nothing",
}

# What a user may take for mere advice.
IGNORABLE = (
    "initramfs_mismatch",
    "kexec_hung",
    "memory_low",
    "modules_missing",
    "platform_denied",
    "starts_no_linux",
)


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
    return Reason(code, message, remedy, blocks or VOCABULARY[code])


def ignore(reasons: t.Iterable[Reason], codes: t.Collection[str]) -> tuple[Reason, ...]:
    """Turn the reasons that the user chose to ignore into advice."""
    return tuple(
        Reason(found.code, found.message, found.remedy, "nothing")
        if found.code in codes and found.code in IGNORABLE
        else found
        for found in reasons
    )


def blocking(reasons: t.Iterable[Reason], *levels: Blocks) -> tuple[Reason, ...]:
    """The reasons that block at one of the levels."""
    return tuple(found for found in reasons if found.blocks in levels)


def sentence(found: Reason) -> str:
    """A reason as a user reads it."""
    return f"{found.message} {found.remedy}"

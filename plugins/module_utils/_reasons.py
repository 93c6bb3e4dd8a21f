# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

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
    summary: str
    ignorable: bool = False


# The stable vocabulary of this collection. The documentation lists it; a test compares the two.
CODES: dict[str, Code] = {
    # The kernel that runs now cannot load an image.
    "no_kexec_support": Code("kexec", "The running kernel is built without kexec."),
    "no_kexec_tools": Code("kexec", "The kexec command is not installed."),
    "kexec_locked": Code("kexec", "The kernel was booted without kexec_load_disabled=0."),
    "kexec_relocked": Code("kexec", "A sysctl setting locked kexec after the boot."),
    "kexec_frozen": Code("kexec", "An image was loaded at boot, and kexec was locked behind it."),
    "kexec_limit_reached": Code("kexec", "kernel.kexec_load_limit_reboot is used up."),
    "lockdown": Code("kexec", "Kernel lockdown forbids loading an unsigned image."),
    "no_cap_sys_boot": Code("kexec", "The process lacks the capability CAP_SYS_BOOT."),
    "kexec_denied": Code("kexec", "The kernel refuses kexec and no known cause was found."),
    "memory_low": Code("kexec", "There is too little free memory for the image.", True),
    "platform_denied": Code("kexec", "kexec is known to hang on this platform.", True),
    "hypervisor": Code("kexec", "The host runs on a hypervisor that a jump would leave."),
    "boot_not_mounted": Code("kexec", "The file system of /boot is not mounted."),
    "kexec_hung": Code("kexec", "The last jump did not lead to a system that was proven.", True),
    "starts_no_linux": Code("kexec", "The boot loader starts something else than Linux.", True),
    "boot_files_elsewhere": Code("kexec", "What the boot loader names was not found."),
    "no_openrc": Code("kexec", "OpenRC, which shuts the system down cleanly, was not found."),
    "load_failed": Code("kexec", "The kexec command could not load the image."),
    "unload_failed": Code("kexec", "The kexec command could not unload the image."),
    # The host, or what it would boot, is not fit for any reboot, or the request is wrong.
    "target_is_controller": Code("reboot", "The target is the machine that runs Ansible."),
    "container": Code("reboot", "The target is a container: it has no kernel of its own."),
    "not_root": Code("reboot", "The task does not run as root."),
    "already_leaving": Code("reboot", "Somebody else is shutting the host down."),
    "kexec_services": Code("reboot", "Services of somebody else use kexec at a shutdown."),
    "load_in_progress": Code("reboot", "Another run is loading an image on the host."),
    "kernel_missing": Code("reboot", "The kernel file does not exist."),
    "kernel_invalid": Code("reboot", "The file is not a Linux kernel."),
    "kernel_truncated": Code("reboot", "The kernel file is shorter than its header says."),
    "kernel_wrong_architecture": Code("reboot", "The kernel is for another architecture."),
    "initramfs_missing": Code("reboot", "The initramfs file does not exist."),
    "initramfs_invalid": Code("reboot", "The file is not an initramfs."),
    "initramfs_truncated": Code("reboot", "The initramfs ends before its archive does."),
    "initramfs_mismatch": Code("reboot", "The initramfs belongs to another kernel.", True),
    "modules_missing": Code("reboot", "The modules of that kernel are not installed.", True),
    "path_invalid": Code("reboot", "The path does not name a regular file of this host."),
    "path_unreadable": Code("reboot", "The file cannot be read."),
    "flavour_unknown": Code("reboot", "No kernel of that flavour is installed."),
    "flavour_ambiguous": Code("kexec", "Several kernels are installed and none is the default."),
    "cmdline_invalid": Code("reboot", "The command line cannot be passed to a kernel."),
    "cmdline_too_long": Code("reboot", "The command line is longer than the kernel accepts."),
    "cmdline_unknown": Code("kexec", "The configured command line could not be found."),
    # Worth knowing, no obstacle.
    "next_boot_locks": Code("nothing", "The next boot through firmware will lock kexec again."),
    "boot_loader_not_found": Code("nothing", "No configuration of a known boot loader was found."),
    "boot_loader_ambiguous": Code("nothing", "Configurations of several boot loaders were found."),
    "boot_loader_not_understood": Code("nothing", "The boot loader's menu was not understood."),
    # The boot loader's configuration stays, or is again, as it was.
    "boot_config_unwritable": Code("nothing", "The boot loader's configuration cannot be written."),
    "boot_menu_not_regenerated": Code("nothing", "The boot loader's menu could not be made anew."),
    "boot_config_damaged": Code("reboot", "The boot loader's configuration could not be restored."),
    "parameter_invalid": Code("nothing", "The kernel parameter cannot be set or removed."),
    "cmdline_drift": Code("nothing", "The configured command line is not the running one."),
    "initramfs_unverified": Code("nothing", "The initramfs could not be looked into."),
    "passphrase_needed": Code("nothing", "Somebody must type a passphrase after each boot."),
    "initramfs_lacks_module": Code("nothing", "The initramfs lacks what the root needs."),
    "hang_uncovered": Code("nothing", "A hang of the new kernel would stop the host for good."),
    "panic_hangs": Code("nothing", "A panic early in the boot would stop the host for good."),
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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules would have returned on a scripted host."""

from __future__ import annotations

import typing as t

from .boot import CMDLINE, KEXEC, Boot, Image

KERNEL = "/boot/vmlinuz-virt"
INITRAMFS = "/boot/initramfs-virt"

LOCKED = {
    "code": "kexec_locked",
    "message": "kernel.kexec_load_disabled is 1: this host is scripted to be locked.",
    "remedy": "Add kexec_load_disabled=0 to the boot loader's configuration.",
    "blocks": "kexec",
}


Values = dict[str, t.Any]


def preflight(boot: Boot, image: Image | None, *, able: bool) -> Values:
    """The result of kexec_preflight."""
    return {
        "changed": False,
        "able": able,
        "method": "kexec" if able else "firmware",
        "reasons": [] if able else [LOCKED],
        "kernel": KERNEL,
        "initramfs": [INITRAMFS],
        "release": boot.release,
        "cmdline": CMDLINE.partition(" ")[2],
        "boot_id": boot.boot_id,
        "uptime": round(boot.uptime, 2),
        "facts": facts(boot, image, able=able),
        "protection": {
            "panic": True,
            "oops": False,
            "hang": False,
            "unconfirmed": False,
            "watchdog": None,
        },
    }


def load(boot: Boot, image: Image, *, able: bool, changed: bool) -> Values:
    """The result of kexec_load."""
    result = preflight(boot, image if able else None, able=able)
    if not able:
        return {**result, "failed": True, "msg": LOCKED["message"], "stage": "preflight"}
    added = {"changed": changed, "loaded": True, "watchdog": None, "confirm": 0}
    return {**result, **added, "cmdline": image.cmdline}


def facts(boot: Boot, image: Image | None, *, able: bool) -> Values:
    """What the preflight found."""
    return {
        "available_memory": 900_000_000,
        "boot_loader": "extlinux",
        "boot_loader_config": "/boot/extlinux.conf",
        "cmdline_source": "boot_loader",
        "container": None,
        "firmware_kernel": KERNEL,
        "flavour": "virt",
        "frozen": False,
        "hardware_id": boot.hardware_id,
        "hung": None,
        "installed_releases": {"virt": boot.release},
        "kexec_load_disabled": not able,
        "kexec_load_limit_reboot": -1,
        "kexec_tools_version": "2.0.32",
        "loaded": image is not None,
        "lock_settings": [],
        "lockdown": "none",
        "machine": "x86_64",
        "platform": {"sys_vendor": "scripted"},
        "reboot_needed": False,
        "reboot_needed_because": [],
        "running_cmdline": boot.cmdline,
        "running_release": boot.release,
        "secure_boot": False,
        "slots": None,
        "started_by_kexec": boot.bootloader_type == KEXEC,
        "unlocked_after_firmware": True,
        "unlocked_after_kexec": True,
    }


def setup(boot: Boot) -> Values:
    """As much of the facts as ansible.builtin.reboot asks for."""
    found = {
        "distribution": "Alpine",
        "distribution_version": "3.23.0",
        "distribution_major_version": "3",
        "os_family": "Alpine",
        "kernel": boot.release,
        "system": "Linux",
    }
    return {
        "changed": False,
        "ansible_facts": {f"ansible_{name}": value for name, value in found.items()},
    }


def find(patterns: t.Sequence[str]) -> Values:
    """Programs are where Alpine has them."""
    files = [{"path": f"/sbin/{name}"} for name in patterns]
    return {"changed": False, "files": files, "matched": len(files), "examined": len(files)}

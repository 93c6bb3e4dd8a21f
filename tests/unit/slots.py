# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots that tests are made of."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.manifest import (
    Manifest,
    Modules,
    Sum,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.situation import GUARDIANS
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.store import Slot
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slot_menus


def manifest(build: str = "a", release: str = fakes.RELEASE, **changed: t.Any) -> Manifest:
    """The content of a slot; builds of other letters have other kernels."""
    values: dict[str, t.Any] = {
        "release": release,
        "flavour": "virt",
        "cmdline": "root=UUID=1 quiet",
        "files": {"linux": Sum(build * 64, 100), "initrd": Sum("b" * 64, 200)},
        "modules": Modules(7, "c" * 64),
    }
    return Manifest(**{**values, **changed})


def slot(build: str = "a", *damaged: str) -> Slot:
    found = manifest(build)
    return Slot(found.id, None if "manifest" in damaged else found, damaged)


def install_modules(alpine: fakes.FakeHost, release: str = fakes.RELEASE) -> None:
    install(alpine.root, release)


def install(root: Path, release: str = fakes.RELEASE) -> None:
    """The kernel's package, and what mkinitfs' trigger makes and leaves."""
    top = f"lib/modules/{release}"
    files: dict[str, str | bytes] = {
        "boot/vmlinuz-virt": fakes.bzimage(release),
        "boot/initramfs-virt": fakes.initramfs(release),
        "usr/share/kernel/virt/kernel.release": f"{release}\n",
        f"{top}/kernel-suffix": "-virt\n",
        f"{top}/initramfs-suffix": "-virt\n",
        f"{top}/modules.order": "kernel/fs/ext4/ext4.ko\n",
        f"{top}/modules.builtin": "kernel/fs/fat/vfat.ko\n",
        f"{top}/modules.dep": f"kernel/fs/ext4/ext4.ko.gz:\nextra/zfs.ko.gz: # {release}\n",
        f"{top}/kernel/fs/ext4/ext4.ko.gz": f"ext4 of {release}",
        f"{top}/extra/zfs.ko.gz": f"zfs of {release}",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # As apk does it: another file takes the name.
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if not (root / top / "vmlinuz").is_symlink():
        (root / top / "vmlinuz").symlink_to("/boot/vmlinuz-virt")


def machine(root: Path, loader: str) -> slot_menus.Machine:
    """A host with one kernel of apk's, and a boot loader that boots slots."""
    found = slot_menus.Machine(root, loader)
    for path in (root / "boot").glob("*-lts"):
        path.unlink()
    install(root)
    found.write("/proc/cmdline", f"{fakes.RUNNING}\n")
    found.write("/proc/sys/kernel/arch", "x86_64\n")
    for service in GUARDIANS:
        found.write(f"/etc/runlevels/sysinit/{service}", "")
    found.write("/proc/sys/kernel/osrelease", f"{fakes.RELEASE}\n")
    if loader == "limine":
        found.edit(found.menu, slot_menus.LIMINE_LTS, "")
    if loader == "grub":
        found.edit(found.settings, "GRUB_DEFAULT=1", "GRUB_DEFAULT=0")
    found.remake()
    return found

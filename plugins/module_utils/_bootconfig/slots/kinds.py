# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Which boot loaders boot slots, and why others do not."""

from __future__ import annotations

from ..editors import Settings
from ..traces import SYSLINUX
from . import grub, in_file, limine, update_extlinux
from .kind import Kind, unsupported

# What would have to be there.
_MISSING = {
    "efi_stub": "its one line of startup.nsh names one kernel, and there is no menu with others",
    # usercfg.txt could name a kernel of ours, with what apk has around it and no way back from it.
    "raspberrypi": "apk writes over config.txt, the device trees and the overlays that its firmware "
    "reads with any kernel, and no other entry is there to go back to",
    "uki": "kernel and command line are in one image, which has no second one beside it",
    "zipl": "its menu cannot be read, so that nothing would prove which kernel boots",
    SYSLINUX: "the boot medium of a diskless host has no place for kernels that apk does not write",
}


def kind_of(settings: Settings) -> Kind:
    """How slots are written down for the boot loader of this host."""
    if settings.loader == "grub":
        return grub.OF_GRUB
    if settings.loader == "extlinux" and settings.menu is not None:
        return update_extlinux.OF_UPDATE_EXTLINUX
    if settings.loader in ("extlinux", "uboot"):
        return in_file.IN_FILE
    if settings.loader == "limine":
        return limine.OF_LIMINE
    missing = _MISSING[settings.loader]
    raise unsupported(f"the boot loader {settings.loader}", missing)

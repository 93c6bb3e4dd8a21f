# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Where slots are, and their modules: a kernel's place tells its slot."""

from __future__ import annotations

import os
import re

from .port import Host

SLOTS_FOLDER = "/boot/alpinefleet-kexec"
TREES = "/lib/modules"
PARK = "alpinefleet-kexec"
# In the folder of a release's modules, which apk does not remove while it has a file of others.
KEEPER = ".alpinefleet-kexec"

# The release, and what is behind it in a slot's name.
_KERNEL = re.compile(rf"{SLOTS_FOLDER}/(([^/]+)-[0-9a-f]{{12}})/linux")


def slot_of(kernel: str) -> str | None:
    """The slot that a kernel is of, None if it is of none."""
    match = _KERNEL.fullmatch(kernel)
    return match[1] if match else None


def release_of(kernel: str) -> str | None:
    """The release of a kernel that is of a slot, which not every kernel tells itself."""
    match = _KERNEL.fullmatch(kernel)
    return match[2] if match else None


def park(host: Host) -> str:
    """Where modules are kept: on the file system of the trees, on which /lib may be a link."""
    real = os.path.realpath(host.real(TREES))
    top = os.path.relpath(os.path.dirname(real), os.path.realpath(host.real("/")))
    return os.path.normpath(f"/{top}/{PARK}")


def tree_of(host: Host, kernel: str, release: str) -> str:
    """Where the modules of a kernel are; what apk has removed is given back at the boot."""
    kept = f"{park(host)}/{slot_of(kernel)}"
    return kept if slot_of(kernel) and host.is_dir(kept) else f"{TREES}/{release}"

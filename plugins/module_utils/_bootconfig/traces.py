# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What boot loaders have left on a host, read once, so that all choices are functions of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._bootloader.find import LOADERS
from .._bootloader.loaders.extlinux import reads_as_syslinux
from .._bootloader.loaders.raspberrypi import CMDLINES, configuration
from .._host.machine import LOADER_TYPE
from .._host.port import Host
from .menu_commands import Installed, installed_on
from .settings import efi_stub, uki, update_extlinux, zipl

# The loader of diskless hosts, whose menus are on their media.
SYSLINUX = "syslinux"
# Settings that tell by being there, and those of which the text tells something.
PLACES = (update_extlinux.SETTINGS, zipl.SETTINGS, efi_stub.SETTINGS)
TOLD = (zipl.SETTINGS, uki.SETTINGS)


@dataclass(frozen=True)
class Traces:
    """What a host has of boot loaders: all that the choice of one and of its settings needs."""

    # What the kernel reports of what started it.
    started_by: int | None = None
    # The menus that each loader may read, by its name.
    menus: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Those of PLACES that are there.
    files: frozenset[str] = frozenset()
    # What those of TOLD say, None where that cannot be read.
    texts: t.Mapping[str, str | None] = field(default_factory=dict)
    installed: Installed = field(default_factory=Installed)
    # Whether it is extlinux that reads U-Boot's file.
    of_extlinux: bool = False
    # By what the firmware of a Raspberry Pi is configured.
    configurations: tuple[str, ...] = ()


def traces_of(host: Host) -> Traces:
    """Look once, and at everything."""
    return Traces(
        host.number(LOADER_TYPE),
        {**{each.name: each.menus(host) for each in LOADERS}, SYSLINUX: _media(host)},
        frozenset(path for path in PLACES if host.exists(path)),
        {path: host.text(path) for path in TOLD},
        installed_on(host),
        reads_as_syslinux(host),
        tuple(configuration(host, path) for path in CMDLINES),
    )


def _media(host: Host) -> tuple[str, ...]:
    """The configurations on the media of diskless hosts."""
    return tuple(
        path
        for device in host.names("/media")
        for path in (
            f"/media/{device}/boot/syslinux/syslinux.cfg",
            f"/media/{device}/syslinux.cfg",
        )
        if host.exists(path)
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The boot loaders whose configuration can be read, and which of them boots this host."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .._host.machine import LOADER_TYPE
from .._host.mounts import Mount, mount_of
from .._host.port import Host
from .._reasons import Reason, ReasonError, reason
from .loader import Entry, Loader, NotUnderstoodError, StartsNoLinuxError
from .loaders.extlinux import EXTLINUX, NAMES, UBOOT
from .loaders.grub import GRUB
from .loaders.limine import LIMINE
from .loaders.raspberrypi import RASPBERRYPI

_RUNNING = "The running command line is used; set cmdline_source to choose another."

LOADERS: tuple[Loader, ...] = (EXTLINUX, GRUB, LIMINE, UBOOT, RASPBERRYPI)


@dataclass(frozen=True)
class Configured:
    """What the boot loader will boot next, as far as it could be found out."""

    loader: str | None = None
    path: str | None = None
    entry: Entry | None = None
    kernel: str | None = None
    initramfs: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


def configured(host: Host) -> Configured:
    """Read the configuration of the boot loader that boots this host."""
    owners = {path: loader for loader in LOADERS for path in loader.menus(host)}
    several = "Remove the configuration that is not in use; the running command line is used."
    try:
        remedies = (_RUNNING, _RUNNING, several)
        path = booting(host.number(LOADER_TYPE), LOADERS, owners, remedies)
    except ReasonError as error:
        return Configured(reasons=(error.reason,))
    return _read(host, owners[path], path)


class Started(t.Protocol):
    @property
    def type_ids(self) -> frozenset[int]: ...


def booting(
    started_by: int | None,
    known: t.Iterable[Started],
    owners: t.Mapping[str, Started],
    remedies: tuple[str, str, str],
    wanted: str = "a known boot loader",
) -> str:
    """The file of the loader that boots this host, by the type that the kernel reports of it.

    It names none on other machines than x86, after a kexec, and where EFI starts it.
    """
    family = None if started_by is None else started_by >> 4
    named = any(family in each.type_ids for each in known)
    found = [path for path, each in owners.items() if not named or family in each.type_ids]
    if len(found) == 1:
        return found[0]
    none, another, several = remedies
    paths = ", ".join(found or owners)
    message, remedy = f"No configuration of {wanted} was found.", none
    if found:
        message = f"Several boot loaders are configured: {paths}."
        raise ReasonError(reason("boot_loader_ambiguous", message, several))
    if owners:
        message = f"Another boot loader than that of {paths} started the running kernel."
        remedy = another
    raise ReasonError(reason("boot_loader_not_found", message, remedy))


def _read(host: Host, loader: Loader, path: str) -> Configured:
    try:
        entry = loader.read(host, path, host.text(path) or "")
    except NotUnderstoodError as problem:
        return Configured(loader.name, path, reasons=(_refused(path, problem),))
    kernel = None if entry.kernel is None else locate(host, path, entry.kernel)
    initramfs = [locate(host, path, name) for name in entry.initramfs]
    found = [each for each in initramfs if each is not None]
    # Without one of them the others are of no use.
    usable = None if None in initramfs else kernel
    return Configured(loader.name, path, entry, usable, tuple(found))


def locate(host: Host, menu: str, name: str) -> str | None:
    """The path on the running host of a file that the boot loader names from its own view.

    None if it may be where nobody can look from here.
    """
    found = candidates(menu, name, mount_of(host, menu))
    return pick(found, frozenset(filter(host.exists, found)))


def candidates(menu: str, name: str, mount: Mount) -> dict[str, str]:
    """Where it may be, by what must exist for that.

    Names without a slash are beside the menu, others at the root of a file system, mostly its own.
    """
    if not name.startswith("/"):
        return {"/": os.path.normpath(os.path.join(os.path.dirname(menu), name))}
    name, top = os.path.normpath(name), mount.top + "/"
    # Another file system, at one of the places where it would be mounted; these loaders read none.
    others = {} if menu.endswith(NAMES) else {name: name, "/boot" + name: "/boot" + name}
    if not name.startswith(top):  # That part is not mounted there.
        return others
    own = f"{mount.point.rstrip('/')}/{name[len(top) :]}"
    # It is known to be missing where its directory is there, and is no root.
    missing = {os.path.join(os.path.dirname(own), ""): own}
    return {own: own, **others, **missing} if "/" in missing else {own: own, **missing, **others}


def pick(found: t.Mapping[str, str], there: t.Container[str]) -> str | None:
    """The first for which there is what must exist."""
    return next((found[each] for each in found if each in there), None)


def _refused(path: str, why: NotUnderstoodError) -> Reason:
    if isinstance(why, StartsNoLinuxError):
        return reason(
            "starts_no_linux",
            f"{path} does not start Linux itself: {why}. A jump into a kernel would leave that out.",
            "Reboot through firmware, or put starts_no_linux into ignore_reasons.",
        )
    return reason("boot_loader_not_understood", f"{path} was not understood: {why}.", _RUNNING)

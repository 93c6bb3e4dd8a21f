# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What apk has in /boot now: the content that a slot made of it would have, and what is wrong."""

from __future__ import annotations

import hashlib
import os
import typing as t
from dataclasses import dataclass, field

from .. import _cmdline, _reasons
from .._bootconfig.slots.look import Menus
from .._bootloader import find
from .._bootloader.loader import Entry
from .._host.port import PIECE, FileProblemError, Host
from .._image import choose, inspect
from .._image.choose import Files
from .._image.initramfs import ALIGNMENT
from .._reasons import Reason, ReasonError, reason
from . import modules
from .manifest import DTBS_FOLDER, INITRAMFS_FILE, KERNEL_FILE, Manifest, Sum


@dataclass(frozen=True)
class Candidate:
    """The files of apk's kernel of one flavour, and their content."""

    manifest: Manifest
    # What each file of a slot is made of, joined in this order.
    sources: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    # When the newest of them was written, in seconds since 1970 by the host's clock.
    changed: int = 0

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def obstacles(self) -> tuple[Reason, ...]:
        """Why it would not boot."""
        return _reasons.blocking(self.reasons, "reboot")


def look(host: Host, menus: Menus, flavour: str | None = None) -> Candidate:
    """Read the files that apk's entry names; ReasonError where there is no telling what they are."""
    entry = menus.apks
    if entry is None:
        raise ReasonError(_no_entry(flavour))
    files = _files(host, entry, flavour)
    found = files.flavour or ""
    inspected = inspect.inspect(host, files, host.machine, _installed(host, found))
    release = inspected.release or _installed(host, found).get(found)
    if release is None:
        raise ReasonError(_of_no_release(files, inspected.reasons))
    sources = _sources(host, files.kernel, inspected.ordered_initramfs, found)
    manifest = Manifest(
        release,
        found,
        _cmdline.join(_cmdline.strip_transient(_cmdline.split(entry.cmdline))),
        {name: sum_of(host, paths) for name, paths in sources.items()},
        modules.installed(host, release),
    )
    return Candidate(manifest, sources, inspected.reasons, _newest(host, sources.values()))


def _files(host: Host, entry: Entry, flavour: str | None) -> Files:
    """The files of the entry, where they are on the running host."""
    menu = find.configured(host).path or "/boot/"
    kernel = _kernel_of(host, menu, entry, flavour)
    initramfs = tuple(find.locate(host, menu, name) or name for name in entry.initramfs)
    if entry.kernel is None:
        # Its loader's own settings name it, and no command line; apk's trigger makes it.
        initramfs = (f"/boot/{choose.INITRAMFS_PREFIX}{kernel[len(_KERNELS) :]}",)
    files = Files(kernel, initramfs, "boot_loader")
    if files.flavour is None:
        raise ReasonError(_not_of_apk(kernel))
    return files


_KERNELS = f"/boot/{choose.KERNEL_PREFIX}"


def _kernel_of(host: Host, menu: str, entry: Entry, flavour: str | None) -> str:
    if entry.kernel is not None:
        return find.locate(host, menu, entry.kernel) or entry.kernel
    flavours = [flavour] if flavour else choose.installed_flavours(host.names("/boot"))
    if len(flavours) != 1:
        raise ReasonError(_flavour_of_several(flavours))
    return f"{_KERNELS}{flavours[0]}"


def _installed(host: Host, flavour: str) -> dict[str, str]:
    release = host.line(f"/usr/share/kernel/{flavour}/kernel.release")
    return {flavour: release} if release else {}


def _sources(
    host: Host, kernel: str, initramfs: tuple[str, ...], flavour: str
) -> dict[str, tuple[str, ...]]:
    trees = f"/boot/dtbs-{flavour}"
    return {
        KERNEL_FILE: (kernel,),
        **({INITRAMFS_FILE: initramfs} if initramfs else {}),
        **{f"{DTBS_FOLDER}/{name}": (f"{trees}/{name}",) for name in _below(host, trees)},
    }


def _newest(host: Host, sources: t.Iterable[t.Iterable[str]]) -> int:
    times = [os.stat(host.real(path)).st_mtime for paths in sources for path in paths]
    return max(0, *map(int, times))


def _below(host: Host, top: str) -> list[str]:
    """The files below a directory, by their paths from there."""
    real = host.real(top)
    return sorted(
        os.path.relpath(os.path.join(folder, name), real)
        for folder, _folders, names in os.walk(real)
        for name in names
    )


def pieces(host: Host, paths: t.Iterable[str]) -> t.Iterator[bytes]:
    """Files as a boot loader lays them in memory one behind the other, without holding them."""
    length = 0
    for path in paths:
        yield b"\0" * (-length % ALIGNMENT)
        length += -length % ALIGNMENT
        with host.open(path) as file:
            while piece := file.read(PIECE):
                length += len(piece)
                yield piece


def sum_of(host: Host, paths: t.Sequence[str]) -> Sum:
    """The content that files have when they are one."""
    digest, size = hashlib.sha256(), 0
    try:
        for piece in pieces(host, paths):
            digest.update(piece)
            size += len(piece)
    except (FileProblemError, OSError) as error:
        raise ReasonError(_unreadable(paths, error)) from error
    return Sum(digest.hexdigest(), size)


def _no_entry(flavour: str | None) -> Reason:
    of_flavour = f" of the flavour {flavour}" if flavour else ""
    return reason(
        "flavour_unknown",
        f"The boot loader has no entry for a kernel of apk's{of_flavour}.",
        "Install the kernel's package, have the boot loader's menu made anew, or choose another "
        "flavour.",
    )


def _not_of_apk(kernel: str) -> Reason:
    return reason(
        "flavour_unknown",
        f"The boot loader's entry names {kernel}, which no kernel package of Alpine installs.",
        f"Set the option flavour to that of a {_KERNELS}FLAVOUR that is there.",
    )


def _flavour_of_several(flavours: t.Sequence[str]) -> Reason:
    return reason(
        "flavour_ambiguous",
        "The boot loader's entry names no kernel; flavours in /boot: "
        f"{', '.join(flavours) or 'none'}.",
        "Set the option flavour.",
    )


def _of_no_release(files: Files, found: t.Sequence[Reason]) -> Reason:
    if found:
        return found[0]
    return reason(
        "kernel_invalid",
        f"{files.kernel} does not tell its release, and /usr/share/kernel/{files.flavour} does not.",
        "Reinstall the kernel's package.",
    )


def _unreadable(paths: t.Sequence[str], error: Exception) -> Reason:
    return reason(
        "path_unreadable",
        f"{' and '.join(paths)} cannot be read: {error}.",
        "Reinstall the kernel's package, and check the file system.",
    )

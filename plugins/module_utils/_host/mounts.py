# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is mounted where, and what should be."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._reasons import Reason, reason
from .port import Host, lines

MOUNTS = "/proc/mounts"
TABLE = "/etc/fstab"

# How the kernel writes spaces and the like in the list of mounts.
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A file system, or a part of one, and where it is."""

    point: str
    type: str = ""
    options: tuple[str, ...] = ()
    device: str = ""

    def holds(self, path: str) -> bool:
        return path.startswith(self.point.rstrip("/") + "/")

    @property
    def top(self) -> str:
        """What a boot loader puts before a path on it: the part of a btrfs, or a data set of ZFS."""
        if self.type == "zfs":
            return "/" + self.device.partition("/")[2] + "@"
        found = [each[len("subvol=") :] for each in self.options if each.startswith("subvol=")]
        return found[-1].rstrip("/") if found else ""


def points(host: Host) -> list[str]:
    """Where something is mounted; files can be mount points, too."""
    return [mount.point for mount in _mounts(host)]


def _mounts(host: Host) -> t.Iterator[Mount]:
    return _table(host.text(MOUNTS) or "", least=4)


def _table(text: str, *, least: int) -> t.Iterator[Mount]:
    """File systems by lines of so many fields at least: only users may leave some out."""
    for line in lines(text):
        fields = [
            _OCTAL.sub(lambda match: chr(int(match[1], 8)), each)
            for each in re.split("[ \t]+", line.strip(" \t"))
        ]
        if len(fields) >= least and not fields[0].startswith("#"):
            kind, options = [*fields[2:], "", ""][:2]
            point = re.sub("//+", "/", fields[1]).rstrip("/") or "/"
            yield Mount(point, kind, tuple(options.split(",")), fields[0])


def unmounted(host: Host, path: str) -> str | None:
    """The mount point that a path is below by the table of file systems, if nothing is there.

    What is in its directory then is not what the path means once it is mounted.
    """
    mounted = set(points(host))
    wanted = (mount.point for mount in _table(host.text(TABLE) or "", least=2))
    return next(
        (
            point
            for point in wanted
            if point != "/" and path.startswith(point.rstrip("/") + "/") and point not in mounted
        ),
        None,
    )


def not_mounted(point: str) -> Reason:
    return reason(
        "boot_not_mounted",
        f"{point} is in {TABLE} and not mounted: what lies in its directory is not what boots.",
        f"Mount {point}, or remove its line from {TABLE}.",
    )


def mount_of(host: Host, path: str) -> Mount:
    """What a path is on; of two mounts at one point, the later one covers the other."""
    found = Mount("")
    for mount in _mounts(host):
        if mount.holds(path) and len(mount.point) >= len(found.point):
            found = mount
    return found

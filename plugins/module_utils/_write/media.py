# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Boot media that are writable for a moment."""

from __future__ import annotations

import contextlib
import typing as t

from .._host.mounts import mount_of
from .._host.port import Host, Outcome
from .._reasons import ReasonError, reason


def read_only_mount(host: Host, path: str) -> str | None:
    """The mount point that a path is below, if it is mounted read-only."""
    found = mount_of(host, path)
    return found.point if "ro" in found.options else None


@contextlib.contextmanager
def writable(host: Host, paths: t.Iterable[str]) -> t.Iterator[None]:
    """Mount boot media writable for a moment, and read-only again whatever happens."""
    mounted = sorted({point for point in (read_only_mount(host, path) for path in paths) if point})
    mount = _mount(host, mounted[0]) if mounted else ""
    try:
        for point in mounted:
            _open_up(host, mount, point)
        yield
    except ReasonError as error:
        for point, completed in _close(host, mount, mounted):
            raise _also_left_open(point, completed, error) from error
        raise
    except BaseException:
        _close(host, mount, mounted)
        raise
    for point, completed in _close(host, mount, mounted):
        raise _left_open(point, completed)


def _mount(host: Host, point: str) -> str:
    found = host.find("mount")
    if found is None:
        raise _closed(point, "the command mount was not found")
    return found


def _remount(host: Host, mount: str, mode: str, point: str) -> Outcome:
    return host.run([mount, "-o", f"remount,{mode}", point])


def _open_up(host: Host, mount: str, point: str) -> None:
    completed = _remount(host, mount, "rw", point)
    if completed.rc != 0:
        raise _closed(point, f"mount failed {completed.told}")


def _close(host: Host, mount: str, mounted: t.Iterable[str]) -> list[tuple[str, Outcome]]:
    """Those that cannot be mounted read-only again, and what mount said."""
    tried = [(point, _remount(host, mount, "ro", point)) for point in mounted]
    return [(point, completed) for point, completed in tried if completed.rc != 0]


def _closed(point: str, why: str) -> ReasonError:
    found = reason(
        "boot_config_unwritable",
        f"{point} cannot be written: {why}.",
        "Mount the file system writable.",
    )
    return ReasonError(found, stage="write")


def _left_open(point: str, completed: Outcome) -> ReasonError:
    found = reason(
        "boot_config_unwritable",
        f"{point} was written as it was wanted, and cannot be mounted read-only again: "
        f"mount failed {completed.told}.",
        "See what else writes there, and mount it read-only.",
    )
    return ReasonError(found, stage="write", changed=True)


def _also_left_open(point: str, completed: Outcome, error: ReasonError) -> ReasonError:
    """What failed before is not to hide it."""
    first = error.reason
    also = f"Also, {point} cannot be mounted read-only again: mount failed {completed.told}."
    found = reason(first.code, f"{first.message} {also}", first.remedy, first.blocks)
    return ReasonError(found, **error.details)

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Directories that are there as a whole or not at all: made and given up under another name."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from .._bootconfig.slots.entry import is_id
from .._host.port import Host
from .._write.boot_file import sync_directory

# What has such a name is of no use to anybody, whoever left it.
DRAFT_PREFIX = ".draft-"
FOLDER_MODE = 0o755


def named(host: Host, folder: str) -> list[str]:
    """The names of slots in a directory."""
    return [name for name in host.names(folder) if is_id(name)]


@contextlib.contextmanager
def draft(host: Host, folder: str, name: str) -> t.Iterator[str]:
    """A new directory by its real path, which gets its name once it is filled and on the disk."""
    top = host.real(folder)
    make(top)
    path = os.path.join(top, DRAFT_PREFIX + name)
    _remove(path)
    make(path)
    try:
        yield path
        _sync(path)
        # A boot loader does not replay the journal: what the name will lead to is there before.
        host.checkpoint(path)
        os.rename(path, os.path.join(top, name))
    except BaseException:
        # What cannot be removed now is removed by the next run.
        with contextlib.suppress(OSError):
            _remove(path)
        raise
    sync_directory(top)
    host.checkpoint(top)


def make(path: str) -> None:
    """A directory, whatever the mask of this process is; its name lasts."""
    if os.path.isdir(path):
        return
    os.mkdir(path)
    if os.stat(path).st_mode & 0o777 != FOLDER_MODE:
        # vfat takes its modes from its mount, and no other ones.
        with contextlib.suppress(PermissionError):
            os.chmod(path, FOLDER_MODE)
    sync_directory(os.path.dirname(path))


def give_up(host: Host, folder: str, name: str) -> None:
    """Remove a directory, of which no part stays under its name."""
    top = host.real(folder)
    path = os.path.join(top, DRAFT_PREFIX + name)
    _remove(path)
    try:
        os.rename(os.path.join(top, name), path)
    except FileNotFoundError:
        return
    sync_directory(top)
    _remove(path)


def tidy(host: Host, folder: str) -> None:
    """Remove what a run that was killed left behind."""
    for name in host.names(folder):
        if name.startswith(DRAFT_PREFIX):
            _remove(os.path.join(host.real(folder), name))


def clear(host: Host, folder: str) -> None:
    """Remove the directory of all of them, unless somebody has put something there."""
    with contextlib.suppress(OSError):
        os.rmdir(host.real(folder))


def _remove(path: str) -> None:
    """Whatever has the name: a link goes, and not what it leads to."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def _sync(top: str) -> None:
    """The directories; who writes a file syncs it."""
    for folder, _folders, _names in os.walk(top, topdown=False):
        sync_directory(folder)

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The modules of a slot's kernel: kept beside the tree that apk removes with the kernel."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import typing as t

from .._host.port import Host
from .._host.slot_places import KEEPER, TREES, park
from .._reasons import Reason, ReasonError, reason
from .._write import checkpoint, draft
from .._write.boot_file import sync_directory
from . import folders
from .manifest import Modules

# With one of these mkinitfs' trigger takes a tree for that of a kernel that is installed.
TRIGGERING = ("kernel-suffix", "modules.order")
# What is not of the modules, either.
NOT_PARKED = (*TRIGGERING, KEEPER)
NAMES_OF_MODULES = "modules.dep"

# How a file system refuses a second name, or one across two of them.
_NO_LINKS = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
)


def installed(host: Host, release: str) -> Modules:
    """What apk has installed for a release."""
    return _look(host, f"{TREES}/{release}")


def kept(host: Host, slot: str) -> Modules:
    """What is kept for a slot; nothing of it is there where it is not."""
    return _look(host, f"{park(host)}/{slot}")


def _look(host: Host, tree: str) -> Modules:
    """Count them by their names: to read them all would take as long as to load them."""
    names = (name for _folder, _folders, names in os.walk(host.real(tree)) for name in names)
    count = sum(".ko" in name for name in names)
    return Modules(count, host.digest(f"{tree}/{NAMES_OF_MODULES}") or "")


def keep(host: Host, release: str, slot: str, wanted: Modules) -> None:
    """Keep the modules of a release for a slot, in place of those that are damaged."""
    if kept(host, slot) != wanted:
        _park(host, release, slot, wanted)
    _keep_place(host, release)


def _park(host: Host, release: str, slot: str, wanted: Modules) -> None:
    folder = park(host)
    folders.give_up(host, folder, slot)
    with folders.draft(host, folder, slot) as path:
        _link_tree(host.real(f"{TREES}/{release}"), path)
        _sync(path)
        found = _look(host, f"{folder}/{os.path.basename(path)}")
        if found != wanted:
            raise ReasonError(_changed(release))


def _keep_place(host: Host, release: str) -> None:
    """Have apk and its triggers leave the folder, on which the modules are mounted at a boot.

    They remove a folder in which nothing is left, and none can be made while root is read-only.
    """
    tree = host.real(f"{TREES}/{release}")
    keeper = os.path.join(tree, KEEPER)
    if os.path.isdir(tree) and not os.path.lexists(keeper):
        draft.make(keeper, [], like=keeper)
        sync_directory(tree)


def leave_place(host: Host, release: str) -> None:
    """Leave the folder to apk again, once no slot of the release is kept.

    What has the name of a slot in it tells whose files are beside it, and is kexec-modules' own.
    """
    slots = folders.named(host, park(host))
    if any(slot_release(each) == release for each in slots):
        return
    tree = f"{TREES}/{release}"
    if host.content(f"{tree}/{KEEPER}") == b"":
        os.unlink(host.real(f"{tree}/{KEEPER}"))
        # Nothing else is left of what apk has removed.
        with contextlib.suppress(OSError):
            os.rmdir(host.real(tree))


def slot_release(slot: str) -> str:
    return slot.rpartition("-")[0]


def _sync(path: str) -> None:
    """Thousands of files, of which few are new: one sync of the file system is less than theirs."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        checkpoint.sync_file_system(descriptor)
    finally:
        os.close(descriptor)


def _link_tree(source: str, target: str, *, top: bool = True) -> None:
    """The same files under second names, but for those at the top, which depmod may write into."""
    for entry in _entries(source):
        path = os.path.join(target, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            folders.make(path)
            _link_tree(entry.path, path, top=False)
        elif entry.is_file() and not (top and entry.name in NOT_PARKED):
            (_copy if top else _link)(entry.path, path)


def _entries(folder: str) -> t.Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(source, target)


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, stat.S_IMODE(os.stat(source).st_mode))


def _changed(release: str) -> Reason:
    return reason(
        "slot_source_changed",
        f"The modules in {TREES}/{release} changed while they were kept for a slot.",
        "Wait until whoever changes them, such as an upgrade, has ended, and try again.",
    )

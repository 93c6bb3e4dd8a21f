# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The slots on the disk: made whole, looked at, mended, and forgotten.

Who changes something holds the lock of the host.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._bootconfig.slots.entry import SlotEntry, is_id
from .._host.mounts import not_mounted, unmounted
from .._host.port import FileProblemError, Host
from .._host.slot_places import SLOTS_FOLDER, park
from .._reasons import Reason, ReasonError, reason
from .._write import boot_file, draft
from .._write.boot_file import BootFile
from .._write.replaceable import refusal, unwritable
from . import candidate as candidates
from . import folders, manifest, modules
from .candidate import Candidate
from .manifest import DTBS_FOLDER, INITRAMFS_FILE, KERNEL_FILE, MANIFEST, MODULES, Manifest, Sum

# What a file may take more than it holds, and its name: whole blocks of the largest kind.
ROUNDING = 64 * 1024
KEPT_SLOTS = 2


@dataclass(frozen=True)
class Slot:
    """A slot as it was found."""

    id: str
    # None where it cannot be read, or is that of another slot.
    manifest: Manifest | None
    # What does not hold what it was made with: names of its files, or "modules", or "manifest".
    damaged: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.manifest is not None and not self.damaged

    def as_dict(self) -> dict[str, t.Any]:
        found = self.manifest
        return {
            "id": self.id,
            "whole": self.whole,
            "damaged": list(self.damaged),
            "release": found and found.release,
            "flavour": found and found.flavour,
            "cmdline": found and found.cmdline,
            "kernel": path_of(self.id, KERNEL_FILE),
            "initramfs": [path_of(self.id, INITRAMFS_FILE)]
            if found and INITRAMFS_FILE in found.files
            else [],
        }


def missing(slot: str) -> Slot:
    """A slot of which there is nothing."""
    return Slot(slot, None, (MANIFEST,))


def path_of(slot: str, name: str) -> str:
    return f"{SLOTS_FOLDER}/{slot}/{name}"


def entry_of(slot: str, found: Manifest) -> SlotEntry:
    """What a menu is to say of a slot."""
    return SlotEntry(
        slot,
        f"Linux {found.release} (slot {slot[-manifest.DIGITS :]})",
        path_of(slot, KERNEL_FILE),
        (path_of(slot, INITRAMFS_FILE),) if INITRAMFS_FILE in found.files else (),
        found.cmdline,
        path_of(slot, DTBS_FOLDER) if found.has_dtbs else None,
    )


# --- Looking -------------------------------------------------------------------------------


def listed(host: Host) -> tuple[Slot, ...]:
    """All slots, the newest first; every file of them is read."""
    names = folders.named(host, SLOTS_FOLDER)
    return tuple(look(host, name) for name in sorted(names, key=lambda each: _age(host, each)))


def _age(host: Host, name: str) -> tuple[int, str]:
    """The manifest was written when the slot was made; what has none is the oldest."""
    try:
        return (-os.stat(host.real(path_of(name, MANIFEST))).st_mtime_ns, name)
    except OSError:
        return (0, name)


def look(host: Host, name: str) -> Slot:
    """Compare what a slot holds with what it was made with."""
    found = manifest.parse(host.text(path_of(name, MANIFEST)) or "")
    if found is None or found.id != name:
        return missing(name)
    damaged = [
        each
        for each, wanted in found.files.items()
        if not _holds(host, path_of(name, each), wanted)
    ]
    if modules.kept(host, name) != found.modules:
        damaged.append(MODULES)
    return Slot(name, found, tuple(damaged))


def _holds(host: Host, path: str, wanted: Sum) -> bool:
    return host.digest(path) == wanted.sha256


def parked(host: Host) -> frozenset[str]:
    """The slots of which modules are kept."""
    return frozenset(folders.named(host, park(host)))


def running(host: Host) -> str | None:
    """The slot that the running kernel was told to be of."""
    words = _cmdline.running_words(host.line("/proc/cmdline") or "")
    name = _cmdline.last_value(words, _cmdline.SLOT_PARAMETER)
    return name if name is not None and is_id(name) else None


# --- Making --------------------------------------------------------------------------------


def check(host: Host, made_of: Candidate, keep: int = KEPT_SLOTS) -> None:
    """Refuse what could not be made: there is room for all that are kept, and for one more."""
    point = unmounted(host, f"{SLOTS_FOLDER}/")
    if point is not None:
        raise ReasonError(not_mounted(point), stage="write")
    _check_writable(host, "/boot")
    _check_writable(host, os.path.dirname(park(host)))
    count = max(1, keep + 1 - len(folders.named(host, SLOTS_FOLDER)))
    each = made_of.manifest.size + ROUNDING * (len(made_of.manifest.files) + 1)
    status = os.statvfs(host.real("/boot"))
    free = status.f_bfree * status.f_frsize
    if status.f_blocks and free < each * count:
        raise ReasonError(_space_low(each * count, count, free), stage="write")


def _check_writable(host: Host, path: str) -> None:
    try:
        status = os.statvfs(host.real(path))
    except OSError as error:
        raise refusal(path, error) from error
    if status.f_flag & os.ST_RDONLY:
        raise unwritable(path, os.strerror(errno.EROFS), errno.EROFS)


def make(host: Host, made_of: Candidate) -> str:
    """Make a slot of what apk has, unless there is one; returns its name.

    The modules are kept first, so that there is no slot without them.
    """
    name, content = made_of.id, made_of.manifest
    found = look(host, name)
    if found.whole:
        return name
    with _refused(f"{SLOTS_FOLDER}/{name}"):
        if host.is_dir(f"{SLOTS_FOLDER}/{name}"):
            _mend(host, found, made_of)
            return name
        modules.keep(host, content.release, name, content.modules)
        with folders.draft(host, SLOTS_FOLDER, name) as path:
            for file, wanted in content.files.items():
                _write(host, os.path.join(path, file), made_of.sources[file], wanted)
            _write_manifest(os.path.join(path, MANIFEST), content)
    return name


def mend(host: Host, found: Slot, made_of: Candidate) -> None:
    """Put what apk has in place of what is damaged, where that is the same content."""
    with _refused(f"{SLOTS_FOLDER}/{found.id}"):
        _mend(host, found, made_of)


def _mend(host: Host, found: Slot, made_of: Candidate) -> None:
    """Each file for itself: those of which a boot loader reads the old one are damaged anyway."""
    content = found.manifest or made_of.manifest
    names = [*content.files, MODULES] if found.manifest is None else found.damaged
    if MODULES in names:
        modules.keep(host, content.release, found.id, content.modules)
    folder = host.real(f"{SLOTS_FOLDER}/{found.id}")
    folders.make(host.real(SLOTS_FOLDER))
    folders.make(folder)
    for name in names:
        if name != MODULES:
            path = os.path.join(folder, name)
            new = _draft_of(path)
            _write(host, new, made_of.sources[name], content.files[name])
            _put(host, path, new)
    if found.manifest is None:
        path = os.path.join(folder, MANIFEST)
        _write_manifest(_draft_of(path), content)
        _put(host, path, _draft_of(path))


def _draft_of(path: str) -> str:
    _make_folders(os.path.dirname(path))
    return boot_file.beside(path, boot_file.DRAFT)


def _put(host: Host, path: str, new: str) -> None:
    placed = BootFile(path, host.checkpoint)
    placed.put(new)
    # It takes as much room as the new one, and nobody has any use for it.
    placed.discard_old()


def _write(host: Host, path: str, sources: t.Sequence[str], wanted: Sum) -> None:
    """Write a file, and see that what was read is what was looked at."""
    _make_folders(os.path.dirname(path))
    digest = hashlib.sha256()

    def seen() -> t.Iterator[bytes]:
        for piece in candidates.pieces(host, sources):
            digest.update(piece)
            yield piece

    draft.make(path, seen(), like=host.real(sources[-1]))
    if digest.hexdigest() != wanted.sha256:
        draft.remove(path)
        raise ReasonError(_changed(sources), stage="write")


def _write_manifest(path: str, content: Manifest) -> None:
    draft.make(path, [content.as_text().encode()], like=path)


def _make_folders(path: str) -> None:
    """Of a device tree that is in a directory of its own."""
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        folders.make(path)


# --- Forgetting ----------------------------------------------------------------------------


def forget(host: Host, slots: t.Iterable[str]) -> None:
    """Remove slots and their modules, a slot before its modules."""
    for name in slots:
        with _refused(f"{SLOTS_FOLDER}/{name}"):
            folders.give_up(host, SLOTS_FOLDER, name)
            folders.give_up(host, park(host), name)
            modules.leave_place(host, modules.slot_release(name))


def tidy(host: Host) -> None:
    """Remove what runs that were killed left behind."""
    with _refused(SLOTS_FOLDER):
        for folder in (SLOTS_FOLDER, park(host)):
            folders.tidy(host, folder)


def clear(host: Host) -> None:
    """Remove what only slots need, once there is none."""
    for folder in (SLOTS_FOLDER, park(host)):
        folders.clear(host, folder)


# --- Reasons -------------------------------------------------------------------------------


@contextlib.contextmanager
def _refused(path: str) -> t.Iterator[None]:
    """Errors of files become reasons, which name the slot."""
    try:
        yield
    except FileProblemError as error:
        raise ReasonError(_changed([error.path]), stage="write") from error
    except OSError as error:
        raise refusal(str(error.filename or path), error) from error


def _changed(sources: t.Sequence[str]) -> Reason:
    return reason(
        "slot_source_changed",
        f"{' and '.join(sources)} changed while a slot was made of it.",
        "Wait until whoever changes it, such as an upgrade, has ended, and try again.",
    )


def _space_low(needed: int, count: int, free: int) -> Reason:
    slots = "a slot" if count == 1 else f"{count} slots, of which one is for a commit"
    return reason(
        "space_low",
        f"/boot has {free} bytes free, and {slots} may need {needed}.",
        "Free space in /boot, make it larger, or lower keep.",
    )

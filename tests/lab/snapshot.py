# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running machine as files: its memory and its disk, from which others go on."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import qmp, records
from .commands import run
from .config import cache_dir
from .errors import LabError
from .identity import KEYS, take_keys
from .qemu import OVERLAY, QEMU_LOG, STATE_DISK, STATE_MEMORY, VARIABLES, disk
from .records import Record

DETAILS = "state.json"
# What a machine that goes on must be like.
MACHINE = ("memory", "watchdog", "uefi", "panic_store")
STATE_VARIABLES = "state.efivars"
# Not the name of the memory that it went on from, which is a link into another snapshot.
SAVED_MEMORY = "saved.memory"
SAVE_SECONDS = 120.0
# In bytes a second: as fast as it goes.
UNLIMITED = 1 << 40


@dataclass(frozen=True)
class Snapshot:
    """A machine that was stopped in the middle of its work, in a folder."""

    folder: Path
    memory: int
    watchdog: bool
    uefi: bool
    repository: str
    emulator: tuple[str, ...]
    """How to call the QEMU that wrote it, since no other one need understand it."""
    panic_store: bool = False
    """What is in it is kept with the memory."""


def load(folder: Path, repository: str, emulator: Sequence[str]) -> Snapshot:
    """Read a snapshot that was taken, for the packages and the QEMU that it was taken with."""
    stored = _details(folder)
    machine = {name: stored[name] for name in MACHINE}
    return Snapshot(folder, **machine, repository=repository, emulator=tuple(emulator))


def is_whole(folder: Path) -> bool:
    """Tell whether all files are there, as long as they were when they were written."""
    try:
        sizes = _details(folder)["sizes"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def _details(folder: Path) -> dict[str, Any]:
    details: dict[str, Any] = json.loads((folder / DETAILS).read_text(encoding="utf-8"))
    return details


def take(record: Record, folder: Path) -> Snapshot:
    """Write a running machine into an empty folder; the machine ends with it."""
    _save_memory(record.path)
    shutil.move(record.path / SAVED_MEMORY, folder / STATE_MEMORY)
    source = disk(record.path, record.overlay)
    run(["qemu-img", "convert", "-O", "raw", source, folder / STATE_DISK])
    for name in KEYS:
        shutil.copy2(record.path / name, folder / name)
    if record.uefi:
        shutil.copyfile(record.path / VARIABLES, folder / STATE_VARIABLES)
    sizes = {part.name: _finish(part) for part in folder.iterdir()}
    details = asdict(record)
    kept = {name: details[name] for name in MACHINE}
    (folder / DETAILS).write_text(json.dumps({**kept, "sizes": sizes}), encoding="utf-8")
    _finish(folder / DETAILS)
    return load(folder, record.repository, record.emulator)


def _finish(part: Path) -> int:
    """Have a file on the disk before it counts, and nobody write to what machines link to."""
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.chmod(stat.S_IRUSR)
    return part.stat().st_size


def _save_memory(folder: Path) -> None:
    """Have QEMU write all but the disk, and end before anything else is written."""
    qmp.execute(folder, "stop")
    qmp.execute(folder, "migrate-set-parameters", {"max-bandwidth": UNLIMITED})
    # Its working directory is the machine's.
    qmp.execute(folder, "migrate", {"uri": f"exec:cat >{SAVED_MEMORY}"})
    ended = {"completed", "failed", "cancelled"}
    records.wait_until(lambda: _progress(folder) in ended, SAVE_SECONDS)
    found = _progress(folder)
    if found != "completed":
        raise LabError("snapshot", f"saving the memory ended as {found!r}", "see QEMU's log")
    qmp.execute(folder, "quit")
    records.wait_until(lambda: records.read_pid(folder) is None, SAVE_SECONDS)


def _progress(folder: Path) -> str:
    return str(qmp.execute(folder, "query-migrate").get("status"))


def lay_out(snapshot: Snapshot, folder: Path, name: str) -> None:
    """Give a machine's folder all that it goes on from; the snapshot may vanish afterwards."""
    for part in (STATE_DISK, STATE_MEMORY, *([STATE_VARIABLES] if snapshot.uefi else [])):
        os.link(snapshot.folder / part, folder / part)
    take_keys(snapshot.folder, folder, name)
    rewind(folder)


def go_on(folder: Path) -> None:
    """Start the processor of a machine that QEMU has read: it was stopped when it was taken."""
    with suppress(LabError):
        # It ends when it cannot read the memory.
        records.wait_until(lambda: _status(folder) != "inmigrate", SAVE_SECONDS)
        if _status(folder) != "inmigrate":
            qmp.execute(folder, "cont")
            return
    said = (folder / QEMU_LOG).read_text(errors="replace").strip() or "it says nothing"
    raise LabError(
        "state-damaged",
        f"QEMU cannot go on from the state: {said}",
        f"remove the folders state-* in {cache_dir()}; they are made anew",
    )


def _status(folder: Path) -> str:
    return str(qmp.execute(folder, "query-status")["status"])


def rewind(folder: Path) -> None:
    """Take back what a machine has written since."""
    overlay = folder / OVERLAY
    overlay.unlink(missing_ok=True)
    backing = ["-b", STATE_DISK, "-F", "raw"]
    run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, OVERLAY], cwd=folder)
    if (folder / STATE_VARIABLES).exists():
        shutil.copyfile(folder / STATE_VARIABLES, folder / VARIABLES)

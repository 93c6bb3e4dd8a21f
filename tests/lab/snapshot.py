# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running machine as files: its memory and its disk, from which others go on."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from . import qmp, records
from .commands import run
from .errors import LabError
from .identity import KEYS, take_keys
from .qemu import OVERLAY, STATE_DISK, STATE_MEMORY, VARIABLES, disk
from .records import Record

DETAILS = "state.json"
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
    repository: str
    watchdog: bool
    uefi: bool
    emulator: tuple[str, ...]
    """The QEMU that wrote it, since no other one need understand it."""


def load(folder: Path) -> Snapshot:
    """Read a snapshot that was taken."""
    stored = json.loads((folder / DETAILS).read_text(encoding="utf-8"))
    return Snapshot(folder, **{**stored, "emulator": tuple(stored["emulator"])})


def take(record: Record, folder: Path) -> None:
    """Write a running machine into an empty folder; the machine ends with it."""
    _save_memory(record.path)
    shutil.move(record.path / SAVED_MEMORY, folder / STATE_MEMORY)
    source = disk(record.path, record.overlay)
    run(["qemu-img", "convert", "-O", "raw", source, folder / STATE_DISK])
    for name in KEYS:
        shutil.copy2(record.path / name, folder / name)
    if record.uefi:
        shutil.copyfile(record.path / VARIABLES, folder / STATE_VARIABLES)
    for part in folder.iterdir():
        # Machines hold links to them.
        part.chmod(stat.S_IRUSR)
    details = asdict(record)
    kept = {name: details[name] for name in Snapshot.__annotations__ if name != "folder"}
    (folder / DETAILS).write_text(json.dumps(kept), encoding="utf-8")


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
    records.wait_until(lambda: _status(folder) != "inmigrate", SAVE_SECONDS)
    qmp.execute(folder, "cont")


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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of machines: one directory each, one JSON record, one process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from . import cache, config
from .emulator import PROGRAM
from .errors import LabError
from .qemu import DISK, OVERLAY, SERIAL_LOG, escape

RECORD = "machine.json"
PID_FILE = "qemu.pid"
Phase = Literal["starting", "ready"]
Status = Literal["starting", "running", "stopped"]


@dataclass(frozen=True)
class Record:
    """A machine as its directory tells it."""

    name: str
    folder: str
    port: int
    memory: int
    repository: str
    watchdog: bool
    phase: Phase
    seconds: float = 0.0
    uefi: bool = False
    emulator: list[str] = field(default_factory=list)
    overlay: bool = False
    write_log: bool = False
    panic_store: bool = False

    @property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def serial_log(self) -> Path:
        return self.path / SERIAL_LOG

    @property
    def inventory(self) -> Path:
        return self.path / "inventory.yml"

    @property
    def key(self) -> Path:
        return self.path / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.path / "known_hosts"


def machines_dir() -> Path:
    return config.cache_dir() / "machines"


def lock_name(name: str) -> str:
    return f"machine-{name}"


def save(record: Record) -> None:
    """Write the record so that a reader sees the old one or the new one."""
    target = record.path / RECORD
    draft = target.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    draft.replace(target)


def load(folder: Path) -> Record | None:
    """Return the record of a directory, or None if its machine never got one."""
    try:
        stored = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        # Another checkout's lab may know more of a machine, and it can be taken down all the same.
        return Record(**{name: stored[name] for name in Record.__annotations__ if name in stored})
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def find(name: str) -> Record:
    """Return the machine, or say that there is none."""
    record = load(machines_dir() / name)
    if record is None:
        raise LabError(
            "no-machine",
            f"there is no machine {name!r}",
            f"start it: python -m tests.lab up {name}; `status` lists what there is",
        )
    return record


def listed() -> list[Record]:
    """Return every machine that has a record."""
    if not machines_dir().is_dir():
        return []
    found = [load(path) for path in sorted(machines_dir().iterdir())]
    return [record for record in found if record is not None]


def is_ours(folder: Path, pid: int, proc: Path = Path("/proc")) -> bool:
    """Tell whether the process is the QEMU of this directory: its disk says so."""
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    disks = [f",filename={escape(folder / name)},".encode() for name in (DISK, OVERLAY)]
    is_qemu = Path(os.fsdecode(words[0])).name == PROGRAM
    return is_qemu and any(disk in word for disk in disks for word in words)


def read_pid(folder: Path, proc: Path = Path("/proc")) -> int | None:
    """Return the process id of this directory's QEMU, if that process is truly it."""
    try:
        pid = int((folder / PID_FILE).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return _search(folder, proc)
    return pid if is_ours(folder, pid, proc) else None


def _search(folder: Path, proc: Path) -> int | None:
    # The lab was killed after QEMU's start and before the process id was written.
    numbers = (int(path.name) for path in proc.iterdir() if path.name.isdigit())
    return next((pid for pid in numbers if is_ours(folder, pid, proc)), None)


def status(record: Record) -> Status:
    """Return whether the machine is coming up, runs, or was powered off."""
    if record.phase == "starting":
        return "starting"
    return "running" if read_pid(record.path) else "stopped"


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def kill(folder: Path) -> None:
    """End the QEMU of this directory, and no other process."""
    pid = read_pid(folder)
    if pid is None:
        return
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: read_pid(folder) is None, 10)


def remove(folder: Path) -> None:
    """Remove the machine's directory with its keys, disk and logs."""
    kill(folder)
    shutil.rmtree(folder, ignore_errors=True)


def clean() -> list[str]:
    """Remove machines whose `up` was killed; a lock that is held marks a live one."""
    removed = []
    for folder in sorted(machines_dir().iterdir()) if machines_dir().is_dir() else []:
        with cache.tried(lock_name(folder.name)) as free:
            record = load(folder) if free else None
            if free and (record is None or record.phase == "starting"):
                remove(folder)
                removed.append(folder.name)
    return removed

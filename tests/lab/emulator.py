# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest QEMU that can be had without changing this machine."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import cache
from .commands import SEARCH_PATH, missing_tool, run
from .config import cache_dir
from .errors import LabError
from .fetch import backported_packages, sha256
from .progress import Progress

PROGRAM = "qemu-system-x86_64"
# From this version on emulation is half as fast again.
FAST = (10, 0)
PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
DATA = ("usr/share/qemu", "usr/share/seabios")
# What a BIOS machine runs before its boot loader.
FIRMWARE = ("bios-256k.bin", "kvmvapic.bin")
SOURCES = ("emulator.py", "fetch.py")
KEPT = 2
# For so long nobody asks again for what was not to be had.
ASK_AGAIN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Emulator:
    """A QEMU, and where its firmware is if it is not where it was made for."""

    program: Path
    version: tuple[int, ...]
    data: tuple[Path, ...] = ()

    @property
    def command(self) -> list[str]:
        """How it is called."""
        return [str(self.program), *(word for path in self.data for word in ("-L", str(path)))]

    @property
    def title(self) -> str:
        """What it is called in a report."""
        whose = "unpacked by the lab" if self.data else "this machine's own"
        return f"QEMU {'.'.join(map(str, self.version))} ({whose})"

    @property
    def identity(self) -> list[str]:
        """What tells it and its firmware apart from every other build."""
        folders = self.data or [Path("/", part) for part in DATA]
        found = [folder / name for folder in folders for name in FIRMWARE]
        return [sha256(path) for path in (self.program, *filter(Path.exists, found))]


def ensure_emulator(progress: Progress) -> Emulator:
    """Return this machine's own QEMU where it is fast, or else a newer one if there is one."""
    own = machines_own()
    newer = None if own.version >= FAST else _newer(own, progress)
    found = newer or own
    progress.say(f"emulator: {found.title}")
    return found


def machines_own() -> Emulator:
    """Return the QEMU that is installed."""
    found = shutil.which(PROGRAM, path=SEARCH_PATH)
    if found is None:
        raise missing_tool(PROGRAM)
    return _asked(Emulator(Path(found), ()))


def _asked(emulator: Emulator) -> Emulator:
    """Have it tell its version, which it can only if it finds all its libraries."""
    text = run([emulator.program, "--version"], code="emulator")
    return replace(emulator, version=version_of(text))


def version_of(text: str) -> tuple[int, ...]:
    """Return the version that QEMU tells.

    >>> version_of("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)")
    (10, 0, 2)
    """
    found = re.search(r"version (\d+(?:\.\d+)+)", text)
    if found is None:
        raise LabError("emulator", f"QEMU tells no version: {text!r}", "see what is installed")
    return tuple(int(number) for number in found[1].split("."))


def _newer(own: Emulator, progress: Progress) -> Emulator | None:
    # Not of this machine's own version: machines run from the folder, and states name what is in it.
    name = f"emulator-{cache.digest([PACKAGES], SOURCES)}"
    if not (cache_dir() / name).is_dir() and _was_refused(name):
        progress.say("emulator: no newer one was to be had when it was asked for last")
        return None

    def build(folder: Path) -> None:
        with progress.step("emulator: unpacking a newer QEMU than this machine's"):
            _unpack(folder)
            if _in(folder).version <= own.version:
                raise LabError("emulator", "the newest QEMU is the one that is installed", "none")

    try:
        folder, _cached = cache.artifact(name, build)
    except LabError as error:
        progress.say(f"emulator: no newer one was to be had: {error.found}")
        _refusal(name).touch()
        return None
    cache.prune("emulator", KEPT)
    found = _in(folder)
    return found if found.version > own.version else None


def _unpack(folder: Path) -> None:
    for package in backported_packages(PACKAGES):
        run(["dpkg-deb", "--extract", package, folder])


def _in(folder: Path) -> Emulator:
    data = tuple(folder / path for path in DATA)
    return _asked(Emulator(folder / "usr/bin" / PROGRAM, (), data))


def _refusal(name: str) -> Path:
    return cache.ensure_dir(cache_dir() / "downloads") / f"{name}.refused"


def _was_refused(name: str) -> bool:
    try:
        return time.time() - _refusal(name).stat().st_mtime < ASK_AGAIN_SECONDS
    except FileNotFoundError:
        return False

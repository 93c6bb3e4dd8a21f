# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two logs of writes to a real disk, unpacked; record.py says how they were made."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.commands import environment
from tests.lab.layout import MIB, START
from tests.lab.power.disk import Span
from tests.lab.power.judge import Image, Known, Menu

SAMPLES = Path(__file__).parent / "samples"
ROOT = Span(START, 16 * MIB)
MENU = Menu("extlinux", "/boot/extlinux.conf")
TOOLS = ("debugfs", "e2fsck", "e2undo", "mke2fs")


@dataclass(frozen=True)
class Sample:
    """A disk as it was at the start, and what was written to it."""

    disk: Path
    log: Path
    known: Known
    root: Span = ROOT
    menu: Menu = MENU


def _stand_in(number: int) -> str:
    return hashlib.sha256(f"stand-in {number}\n".encode() * 1000).hexdigest()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    """Return the samples by their names."""
    folder = tmp_path_factory.mktemp("samples")
    found = {}
    for name, menus in json.loads((SAMPLES / "menus.json").read_text()).items():
        for kind in ("disk", "log"):
            packed = (SAMPLES / f"{name}.{kind}.xz").read_bytes()
            (folder / f"{name}.{kind}").write_bytes(lzma.decompress(packed))
        known = Known(frozenset(menus), {Image(_stand_in(0), (_stand_in(1),)): "stand-in"})
        found[name] = Sample(folder / f"{name}.disk", folder / f"{name}.log", known)
    return found


@pytest.fixture
def e2fsprogs() -> None:
    """Skip where the tools of ext4 are not installed."""
    for name in TOOLS:
        if not shutil.which(name, path=environment()["PATH"]):
            pytest.skip(f"needs {name}")

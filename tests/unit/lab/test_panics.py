# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that goes on from a state finds the store of panics where it was."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.lab import panics

RESOURCE = """\
0x00000000febf4000 0x00000000febf4fff 0x0000000000040200
0x00000000febf8000 0x00000000febf9fff 0x0000000000040200
0x0000000000000000 0x0000000000000000 0x0000000000000000
"""
LOST = bytes(range(4)) + bytes(60)
FOUND = struct.pack("<4sHxx8xLL40x", LOST[:4], 0x103, 0xFEBF4000, 0xFEBF8000)


def device(folder: Path, vendor: str, number: str) -> Path:
    folder.mkdir()
    for name, text in (("vendor", vendor), ("device", number), ("resource", RESOURCE)):
        (folder / name).write_text(f"{text}\n")
    (folder / "config").write_bytes(LOST)
    return folder / "config"


@pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")
def test_only_the_store_is_placed_and_answers_again(tmp_path: Path) -> None:
    other = device(tmp_path / "0000:00:04.0", "0x1b36", "0x0013")
    store = device(tmp_path / "0000:00:05.0", "0x1b36", "0x0012")
    script = f"true && {panics.found_again(str(tmp_path))}"
    done = subprocess.run(["busybox", "sh", "-c", script], check=True, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert other.read_bytes() == LOST
    assert store.read_bytes() == FOUND


@pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")
def test_what_went_before_is_not_hidden(tmp_path: Path) -> None:
    script = f"false && {panics.found_again(str(tmp_path))}"
    assert subprocess.run(["busybox", "sh", "-c", script], check=False).returncode == 1

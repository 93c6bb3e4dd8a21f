# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal written back: what the kernel is asked for, and what is done where it refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._checkpoint import checkpoint


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: calls.append("sync"))
    return calls


def test_ext4_is_asked_through_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syncs: list[str]
) -> None:
    asked: list[tuple[str, int, bytes]] = []

    def ioctl(descriptor: int, number: int, argument: bytes) -> None:
        asked.append((os.readlink(f"/proc/self/fd/{descriptor}"), number, argument))

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    before = os.listdir("/proc/self/fd")
    checkpoint(str(tmp_path))
    # _IOW('f', 43, __u32), and no flags.
    assert asked == [(str(tmp_path), 1 << 30 | 4 << 16 | ord("f") << 8 | 43, bytes(4))]
    assert syncs == []
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(errno.ENOTTY, id="another file system"),
        pytest.param(errno.EOPNOTSUPP, id="not supported"),
        pytest.param(errno.EINVAL, id="another meaning"),
        pytest.param(errno.ENODEV, id="no journal"),
        pytest.param(errno.EPERM, id="not allowed"),
        pytest.param(errno.EIO, id="a broken disk"),
    ],
)
def test_what_refuses_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syncs: list[str], number: int
) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    checkpoint(str(tmp_path))
    assert syncs == ["sync"]


def test_directory_that_is_gone_is_no_failure(tmp_path: Path, syncs: list[str]) -> None:
    checkpoint(str(tmp_path / "gone"))
    assert syncs == ["sync"]

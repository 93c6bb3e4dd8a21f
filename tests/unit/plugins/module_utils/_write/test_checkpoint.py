# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal written back: what each file system is asked for, and that none is frozen."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import xfs_log
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.checkpoint import checkpoint

# _IOW('f', 43, __u32).
EXT4_IOC_CHECKPOINT = 1 << 30 | 4 << 16 | ord("f") << 8 | 43


@dataclass
class FakeKernel:
    """What a kernel is asked for by its file descriptors, and what it says."""

    refuses_ioctl: int = 0
    refuses_syncfs: bool = False
    is_xfs: bool = False
    calls: list[tuple[t.Any, ...]] = field(default_factory=list)

    def ioctl(self, descriptor: int, number: int, argument: bytes) -> None:
        self.calls.append(("ioctl", os.readlink(f"/proc/self/fd/{descriptor}"), number, argument))
        if self.refuses_ioctl:
            raise OSError(self.refuses_ioctl, os.strerror(self.refuses_ioctl))

    def syncfs(self, descriptor: ctypes.c_long) -> int:
        self.calls.append(("syncfs", os.readlink(f"/proc/self/fd/{descriptor.value}")))
        return -1 if self.refuses_syncfs else 0

    def sync(self) -> None:
        self.calls.append(("sync",))

    def log_of(self, directory: int) -> FakeKernel | None:
        return self if self.is_xfs else None

    def wait_until_written_back(self, directory: int) -> bool:
        self.calls.append(("wait", os.readlink(f"/proc/self/fd/{directory}")))
        return False

    @property
    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    made = FakeKernel()
    monkeypatch.setattr(fcntl, "ioctl", made.ioctl)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name, use_errno: made)
    monkeypatch.setattr(os, "sync", made.sync)
    monkeypatch.setattr(xfs_log, "of", made.log_of)
    return made


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        ("x86_64", EXT4_IOC_CHECKPOINT),
        ("aarch64", EXT4_IOC_CHECKPOINT),
        # There _IOW is 4 in the upper three bits.
        ("ppc64le", 4 << 29 | 4 << 16 | ord("f") << 8 | 43),
    ],
)
def test_ext4_is_asked_through_the_directory_and_needs_no_more(
    tmp_path: Path, kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, machine: str, number: int
) -> None:
    name = os.uname_result(("Linux", "host", "6.18", "#1", machine))
    monkeypatch.setattr(os, "uname", lambda: name)
    before = os.listdir("/proc/self/fd")
    checkpoint(str(tmp_path))
    assert kernel.calls == [("ioctl", str(tmp_path), number, bytes(4))]
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(errno.ENOTTY, id="another file system"),
        pytest.param(errno.EOPNOTSUPP, id="not supported"),
        pytest.param(errno.EINVAL, id="another meaning"),
        pytest.param(errno.ENODEV, id="no journal, as ext2"),
        pytest.param(errno.EPERM, id="not allowed"),
        pytest.param(errno.EIO, id="a broken disk"),
    ],
)
def test_what_refuses_is_synced_and_nothing_else_is(
    tmp_path: Path, kernel: FakeKernel, number: int
) -> None:
    kernel.refuses_ioctl = number
    checkpoint(str(tmp_path))
    assert kernel.calls[1:] == [("syncfs", str(tmp_path))]


def test_log_of_xfs_is_waited_for_behind_the_sync(tmp_path: Path, kernel: FakeKernel) -> None:
    kernel.refuses_ioctl, kernel.is_xfs = errno.ENOTTY, True
    checkpoint(str(tmp_path))
    assert kernel.calls[1:] == [("syncfs", str(tmp_path)), ("wait", str(tmp_path))]


def test_no_file_system_is_frozen(tmp_path: Path, kernel: FakeKernel) -> None:
    kernel.refuses_ioctl, kernel.is_xfs = errno.ENOTTY, True
    checkpoint(str(tmp_path))
    # FIFREEZE and FITHAW have the letter X.
    assert [call[2] >> 8 & 0xFF for call in kernel.calls if call[0] == "ioctl"] == [ord("f")]


def test_everything_is_synced_where_one_file_system_cannot_be(
    tmp_path: Path, kernel: FakeKernel
) -> None:
    kernel.refuses_ioctl = errno.ENOTTY
    kernel.refuses_syncfs = True
    checkpoint(str(tmp_path))
    assert kernel.names == ["ioctl", "syncfs", "sync"]


def test_directory_that_is_gone_is_no_failure(tmp_path: Path, kernel: FakeKernel) -> None:
    checkpoint(str(tmp_path / "gone"))
    assert kernel.names == ["sync"]


def test_real_kernel_takes_what_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a file system that has nothing to write, so that nobody has to wait for a disk."""

    def refuse() -> t.NoReturn:
        raise AssertionError("syncfs was refused")

    monkeypatch.setattr(os, "sync", refuse)
    checkpoint("/proc")

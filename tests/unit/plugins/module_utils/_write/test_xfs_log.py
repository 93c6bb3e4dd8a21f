# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of an XFS as sysfs shows it: how it is found, and how long it is waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import xfs_log
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.xfs_log import LIMIT, XfsLog
from ansible_collections.alpinefleet.kexec.tests.unit import fakes


@contextlib.contextmanager
def opened(directory: Path) -> t.Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class FakeXfs:
    """A log that the kernel writes back after a while, and a clock."""

    def __init__(self, tmp_path: Path, tails: t.Sequence[tuple[float, str]]) -> None:
        self.directory = tmp_path / "boot"
        self.directory.mkdir()
        self.folder = tmp_path / "log"
        self.folder.mkdir()
        self.clock = fakes.FakeClock()
        self._tails = tails
        (self.folder / "log_head_lsn").write_text("2:7\n")
        self._show()

    def _show(self) -> None:
        (self.folder / "log_tail_lsn").write_text(fakes.at(self._tails, self.clock.time))

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self._show()

    def wait(self) -> bool:
        log = XfsLog(str(self.folder), self.clock.now, self.sleep)
        with opened(self.directory) as descriptor:
            return log.wait_until_written_back(descriptor)


@pytest.mark.parametrize(
    ("tails", "seconds"),
    [
        pytest.param([(0, "2:7\n")], 0, id="nothing to write"),
        pytest.param([(0, "3:1\n")], 0, id="the log began anew"),
        pytest.param([(0, "2:2\n"), (9, "2:7\n")], 10, id="later"),
        pytest.param([(0, "1:90\n"), (9, "2:6\n"), (31, "2:30\n")], 32, id="piece by piece"),
    ],
)
def test_log_is_waited_for_until_it_starts_where_it_ended(
    tmp_path: Path, tails: list[tuple[float, str]], seconds: float
) -> None:
    xfs = FakeXfs(tmp_path, tails)
    assert xfs.wait() is True
    assert xfs.clock.time == seconds


def test_wait_ends_in_any_case(tmp_path: Path) -> None:
    xfs = FakeXfs(tmp_path, [(0, "2:2\n")])
    assert xfs.wait() is False
    assert xfs.clock.time == LIMIT


@pytest.mark.parametrize("text", ["", "2\n", "-1:3", "x" * 20, "\xff"])
@pytest.mark.parametrize("name", ["log_head_lsn", "log_tail_lsn"])
def test_log_that_is_not_understood_is_not_waited_for(tmp_path: Path, name: str, text: str) -> None:
    xfs = FakeXfs(tmp_path, [(0, "2:2\n")])
    (xfs.folder / name).write_text(text, encoding="latin-1")
    assert xfs.wait() is False
    (xfs.folder / name).unlink()
    assert xfs.wait() is False
    assert xfs.clock.time == 0


def test_log_is_written_to_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}"))
    )
    xfs = FakeXfs(tmp_path, [(0, "2:2\n"), (3, "2:7\n")])
    before = os.listdir("/proc/self/fd")
    assert xfs.wait() is True
    assert len(synced) == 3
    assert all(path.startswith(str(xfs.directory)) for path in synced)
    assert list(xfs.directory.iterdir()) == []
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_directory_that_takes_no_file_is_waited_for_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    really = getattr(os, call)

    def refuse(*arguments: t.Any, **options: t.Any) -> t.Any:
        if call == "fsync" or arguments[1] & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(*arguments, **options)

    xfs = FakeXfs(tmp_path, [(0, "2:2\n"), (3, "2:7\n")])
    with opened(xfs.directory) as descriptor:
        log = XfsLog(str(xfs.folder), xfs.clock.now, xfs.sleep)
        monkeypatch.setattr(os, call, refuse)
        assert log.wait_until_written_back(descriptor) is True


def test_log_is_found_by_the_device(tmp_path: Path) -> None:
    device = os.stat(tmp_path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    block, folder = tmp_path / "dev/block", tmp_path / "fs/xfs/vda3/log"
    block.mkdir(parents=True)
    (block / number).symlink_to("../../devices/virtio0/block/vda/vda3")
    with opened(tmp_path) as descriptor:
        assert xfs_log.of(descriptor, str(tmp_path)) is None
        folder.mkdir(parents=True)
        assert xfs_log.of(descriptor, str(tmp_path)) == XfsLog(str(folder))

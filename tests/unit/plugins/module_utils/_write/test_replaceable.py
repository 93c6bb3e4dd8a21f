# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way of a file that is to be replaced: by values, and on real files."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import types
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import replaceable
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.replaceable import (
    APPEND_ONLY,
    IMMUTABLE,
    Place,
    obstacle,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

PATH = "/boot/cmdline.txt"


@pytest.mark.parametrize(
    ("place", "number", "why"),
    [
        pytest.param(Place(has_directory=False), errno.ENOENT, "no such directory", id="gone"),
        pytest.param(Place(read_only=True), errno.EROFS, "Read-only", id="read-only"),
        pytest.param(Place(has_room=False), errno.ENOSPC, "No space left", id="full"),
        pytest.param(Place(allowed=False), errno.EACCES, "Permission denied", id="not root"),
        pytest.param(Place(mount_point=True), errno.EBUSY, "mounted over it", id="mount"),
        pytest.param(Place(flags=IMMUTABLE), errno.EPERM, "immutable", id="immutable"),
        pytest.param(Place(flags=APPEND_ONLY), errno.EPERM, "append-only", id="append"),
        pytest.param(Place(other_names=1), errno.EMLINK, "it has another name", id="link"),
        pytest.param(Place(other_names=2), errno.EMLINK, "it has 2 other names", id="links"),
        pytest.param(
            Place(read_only=True, mount_point=True), errno.EROFS, "Read-only", id="the first"
        ),
    ],
)
def test_obstacle(place: Place, number: int, why: str) -> None:
    found = obstacle(place)
    assert found is not None
    assert why in found[0]
    assert found[1] == number


@pytest.mark.parametrize(
    ("blocks", "free", "inodes", "free_inodes", "fits"),
    [
        pytest.param(10, 3, 10, 1, True, id="there is room"),
        pytest.param(10, 2, 10, 1, True, id="just enough"),
        pytest.param(10, 1, 10, 1, False, id="a block short"),
        pytest.param(10, 0, 10, 1, False, id="full"),
        pytest.param(10, 3, 10, 0, False, id="no inode left"),
        pytest.param(10, 3, 0, 0, True, id="inodes are not counted"),
        pytest.param(0, 0, 0, 0, True, id="nothing is counted"),
    ],
)
def test_room(blocks: int, free: int, inodes: int, free_inodes: int, fits: bool) -> None:
    status: t.Any = types.SimpleNamespace(
        f_blocks=blocks, f_bfree=free, f_frsize=4096, f_files=inodes, f_ffree=free_inodes
    )
    assert replaceable.has_room(status, 8192) is fits


# 0x80000 says that a file has extents, as every one on ext4.
@pytest.mark.parametrize("place", [Place(), Place(flags=0x80000)])
def test_no_obstacle(place: Place) -> None:
    assert obstacle(place) is None


# --- On real files -------------------------------------------------------------------------


@pytest.fixture
def old(alpine: fakes.FakeHost) -> fakes.FakeHost:
    alpine.write(PATH, b"old\n")
    return alpine


def refused(alpine: fakes.FakeHost, **how: bool) -> tuple[str, str]:
    with pytest.raises(ReasonError) as caught:
        replaceable.check(alpine.host, PATH, **how)
    found = caught.value.reason
    assert (found.code, caught.value.details) == ("boot_config_unwritable", {"stage": "write"})
    return found.message, found.remedy


def test_file_and_its_absence_are_no_obstacle(old: fakes.FakeHost) -> None:
    replaceable.check(old.host, PATH)
    old.remove(PATH)
    replaceable.check(old.host, PATH)


def test_directory_that_is_missing(alpine: fakes.FakeHost) -> None:
    alpine.link(PATH, "gone/cmdline.txt")
    message, remedy = refused(alpine)
    assert message == f"{PATH} cannot be written: there is no such directory."
    assert "mount" in remedy


def test_file_system_that_is_read_only_unless_it_is_to_be_opened_up(
    old: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = types.SimpleNamespace(f_flag=os.ST_RDONLY, f_files=0, f_blocks=0)
    monkeypatch.setattr(os, "statvfs", lambda _path: status)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert "Read-only file system" in refused(old)[0]
    replaceable.check(old.host, PATH, opened_up=True)
    status.f_flag = 0
    assert "Permission denied" in refused(old)[0]


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EACCES])
def test_file_system_that_cannot_be_asked(
    old: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(path: str) -> t.NoReturn:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "statvfs", fail)
    assert refused(old)[0] == f"{PATH} cannot be written: {os.strerror(number)}."


def test_file_that_is_a_mount_point(old: fakes.FakeHost) -> None:
    old.write("/proc/mounts", f"/dev/sda1 / ext4 rw 0 0\n/dev/sda1 {PATH} ext4 rw 0 0\n")
    message, remedy = refused(old)
    assert "something is mounted over it" in message
    assert "Unmount" in remedy


def test_link_to_a_file_that_is_a_mount_point(old: fakes.FakeHost) -> None:
    old.path(PATH).rename(old.path("/boot/real"))
    old.link(PATH, "real")
    old.write("/proc/mounts", "/dev/sda1 /boot/real ext4 rw 0 0\n")
    assert "something is mounted over it" in refused(old)[0]


def test_mounts_are_not_looked_at_themselves(
    old: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of one may be gone, so that every question about it hangs."""
    old.write("/proc/mounts", "server:/x /gone nfs rw 0 0\n")
    really = os.lstat

    def look(path: str, **options: int) -> os.stat_result:
        assert not str(path).endswith("/gone")
        return really(path, **options)

    monkeypatch.setattr(os, "lstat", look)
    replaceable.check(old.host, PATH)


@pytest.mark.parametrize(("machine", "direction"), [("x86_64", 2), ("ppc64le", 1)])
@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("of", ["file", "directory"])
def test_file_that_is_immutable(
    old: fakes.FakeHost,
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    direction: int,
    size: int,
    of: str,
) -> None:
    target = old.path(PATH if of == "file" else "/boot").resolve()
    name = os.uname_result(("Linux", "host", "6.18", "#1", machine))
    monkeypatch.setattr(os, "uname", lambda: name)
    calcsize = struct.calcsize
    monkeypatch.setattr(struct, "calcsize", lambda form: size if form == "l" else calcsize(form))

    def ioctl(descriptor: int, number: int, argument: bytes) -> bytes:
        assert number == direction << 30 | size << 16 | ord("f") << 8 | 1
        assert len(argument) == size
        if os.readlink(f"/proc/self/fd/{descriptor}") != str(target):
            raise OSError(errno.ENOTTY, "")
        return struct.pack("i", IMMUTABLE | 0x80000) + argument[4:]

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    message, remedy = refused(old)
    assert "it or its directory is immutable" in message
    assert "immutable" in remedy


def test_real_kernel_is_asked_for_the_attributes(old: fakes.FakeHost) -> None:
    assert replaceable._flags(str(old.path(PATH))) & (IMMUTABLE | APPEND_ONLY) == 0
    assert replaceable._flags("/proc") == 0


# --- Hard links ----------------------------------------------------------------------------


def test_file_with_another_name(old: fakes.FakeHost) -> None:
    os.link(old.path(PATH), old.path("/etc/cmdline"))
    message, remedy = refused(old)
    assert "it has another name (hard links), which would be left with the old content" in message
    assert "cp -p" in remedy
    replaceable.check(old.host, PATH, by_a_command=True)


@pytest.mark.parametrize("suffix", ["old", "new"])
def test_names_of_a_run_that_was_killed_are_not_others(old: fakes.FakeHost, suffix: str) -> None:
    second = old.path(f"/boot/.cmdline.txt.boot-parameter-{suffix}")
    second.write_text("another file")
    os.link(second, old.path("/etc/cmdline"))
    replaceable.check(old.host, PATH)
    second.unlink()
    os.link(old.path(PATH), second)
    replaceable.check(old.host, PATH)


def test_failure_without_a_number_of_its_own(old: fakes.FakeHost) -> None:
    error = replaceable.refusal(PATH, OSError("odd"))
    assert "odd" in error.reason.message
    assert "log" in error.reason.remedy

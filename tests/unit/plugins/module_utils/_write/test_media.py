# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot media that are opened up and closed again."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError, reason
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import media
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

PATH = "/boot/extlinux.conf"
MEDIUM = "/media/mmc blk/syslinux.cfg"
MOUNTS = """\
cut off
tmpfs / tmpfs ro 0 0
/dev/sda1 /media/mmc\\040blk vfat {},relatime 0 0
/dev/sdb1 /media/mmc ext4 ro 0 0
"""
OPEN = ("/bin/mount", "-o", "remount,rw", "/media/mmc blk")
CLOSE = ("/bin/mount", "-o", "remount,ro", "/media/mmc blk")


@pytest.fixture(autouse=True)
def installed(alpine: fakes.FakeHost) -> None:
    alpine.runner.installed["mount"] = "/bin/mount"


@pytest.mark.parametrize(("options", "calls"), [("ro", [OPEN, CLOSE]), ("rw", [])])
def test_writable_mounts_what_is_read_only(
    alpine: fakes.FakeHost, options: str, calls: list[tuple[str, ...]]
) -> None:
    alpine.write("/proc/mounts", MOUNTS.format(options))
    alpine.runner.on("/bin/mount")
    with media.writable(alpine.host, [MEDIUM, MEDIUM]):
        assert alpine.runner.calls == calls[:1]
    assert alpine.runner.calls == calls


def test_writable_closes_again_after_a_failure(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    alpine.runner.on("/bin/mount")
    with pytest.raises(KeyError), media.writable(alpine.host, [MEDIUM]):
        raise KeyError
    assert alpine.runner.calls == [OPEN, CLOSE]


def test_writable_says_when_it_cannot(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    alpine.runner.on("/bin/mount", rc=32, stderr="mount: write-protected\n")
    with (
        pytest.raises(ReasonError, match="write-protected") as caught,
        media.writable(alpine.host, [MEDIUM]),
    ):
        raise AssertionError("this is not reached")
    assert caught.value.reason.code == "boot_config_unwritable"
    assert alpine.runner.calls == [OPEN, CLOSE]


def test_medium_that_stays_writable_is_told(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    alpine.runner.on("/bin/mount")
    alpine.runner.on(*CLOSE, rc=32, stderr="mount: target is busy\n")
    with (
        pytest.raises(ReasonError, match="cannot be mounted read-only again") as caught,
        media.writable(alpine.host, [MEDIUM]),
    ):
        pass
    assert "(exit status 32): it said 'mount: target is busy'" in caught.value.reason.message
    with pytest.raises(KeyError), media.writable(alpine.host, [MEDIUM]):
        raise KeyError


def test_later_mount_covers_an_earlier_one(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", "a /boot ext4 ro 0 0\nb /boot ext4 rw 0 0\n")
    with media.writable(alpine.host, [PATH]):
        assert alpine.runner.calls == []


def test_medium_that_stays_writable_is_told_beside_what_failed(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    alpine.runner.on("/bin/mount")
    alpine.runner.on(*CLOSE, rc=32, stderr="busy")
    first = ReasonError(reason("parameter_invalid", "No.", "Yes."), stage="write")
    with pytest.raises(ReasonError) as caught, media.writable(alpine.host, [MEDIUM]):
        raise first
    told = caught.value.reason
    assert (told.code, told.remedy, caught.value.details) == (
        "parameter_invalid",
        "Yes.",
        {"stage": "write"},
    )
    assert told.message.startswith("No. Also, /media/mmc blk cannot be mounted read-only again")
    assert "it said 'busy'" in told.message


def test_what_failed_is_told_as_it_is_where_the_medium_is_closed(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    alpine.runner.on("/bin/mount")
    first = ReasonError(reason("parameter_invalid", "No.", "Yes."))
    with pytest.raises(ReasonError) as caught, media.writable(alpine.host, [MEDIUM]):
        raise first
    assert caught.value is first


def test_command_that_is_missing_is_told(alpine: fakes.FakeHost) -> None:
    del alpine.runner.installed["mount"]
    alpine.write("/proc/mounts", MOUNTS.format("ro"))
    with (
        pytest.raises(ReasonError, match="the command mount was not found"),
        media.writable(alpine.host, [MEDIUM]),
    ):
        raise AssertionError("this is not reached")
    assert alpine.runner.calls == []

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.bench import console
from tests.bench.console import Line, Reader, Reboot

# As a machine of the lab shows it; a reader sees the end of a line later than its begin.
KEXEC = [
    Line(1.0, 1.5, "\rweb1 login:  * Stopping sshd ... [ ok ]\r"),
    Line(1.5, 1.5, " * sshd: caught SIGTERM, aborting\r"),
    Line(3.0, 4.0, " * Remounting remaining filesystems read-only ... *   Remounting / ...\r"),
    Line(10.0, 10.1, "   OpenRC 0.63 is starting up Linux 6.18.56-0-virt (x86_64)\r"),
    Line(12.0, 13.0, " * Starting busybox crond ... [ ok ]\r"),
    Line(13.0, 14.0, " * Starting sshd ... [ ok ]\r"),
    Line(15.0, 15.0, "\rweb1 login: "),
]
FIRMWARE = [
    *KEXEC[:3],
    Line(4.5, 4.5, "[  733.295796] reboot: Restarting system\r"),
    Line(6.0, 6.0, "SYSLINUX 6.04 20210613 Copyright (C) 1994-2015 H. Peter Anvin et al\r"),
    *KEXEC[3:],
]


def test_a_jump_is_read_with_all_its_parts() -> None:
    found = console.read(KEXEC)
    assert found == Reboot(stopping=1.0, leaving=4.0, openrc=10.0, ready=14.0)
    assert found is not None
    assert (found.shutdown, found.kernel, found.services) == (3.0, 6.0, 4.0)
    assert found.floor == 13.0


def test_a_reboot_through_firmware_is_read_as_well() -> None:
    assert console.read(FIRMWARE) == Reboot(1.0, 4.5, 10.0, 14.0)


@pytest.mark.parametrize("missing", [3, 5])
def test_a_reboot_that_is_not_whole_is_none(missing: int) -> None:
    assert console.read([*KEXEC[:missing], *KEXEC[missing + 1 :]]) is None


def test_a_start_before_the_shutdown_does_not_count() -> None:
    assert console.read([KEXEC[3], KEXEC[5], KEXEC[0]]) is None


def test_no_lines_are_no_reboot() -> None:
    assert console.read([]) is None


def test_reader_puts_pieces_together() -> None:
    reader = Reader()
    for now, piece in enumerate([b" * Stop", b"", b"ping\n * A\n", b"", b"x\n"]):
        reader.take(piece, float(now))
    assert reader.lines == [
        Line(0.0, 2.0, " * Stopping"),
        Line(2.0, 2.0, " * A"),
        Line(4.0, 4.0, "x"),
    ]

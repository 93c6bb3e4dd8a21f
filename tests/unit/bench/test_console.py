# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.bench import console
from tests.bench.console import Line, Reboot

KEXEC = [
    Line(1.0, " * Stopping sshd ... [ ok ]"),
    Line(2.0, " * Unmounting filesystems"),
    Line(4.0, " *   Unmounting /tmp ... [ ok ]"),
    Line(10.0, "   OpenRC 0.63 is starting up Linux 6.18.56-0-virt (x86_64)"),
    Line(13.0, " * Starting busybox crond ... [ ok ]"),
    Line(14.0, " * Starting sshd ... [ ok ]"),
    Line(15.0, "web1 login: "),
]
FIRMWARE = [
    *KEXEC[:3],
    Line(4.5, "[  60.1] reboot: Restarting system"),
    Line(6.0, "SYSLINUX 6.04 20210613"),
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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is mounted where."""

from __future__ import annotations

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import mounts
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

MOUNTS = """\
cut off
tmpfs / tmpfs ro 0 0
/dev/sda1 /media/mmc\\040blk vfat {},relatime 0 0
/dev/sdb1 /media/mmc ext4 ro 0 0
"""


def test_points_are_those_of_directories_and_files(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/mounts", MOUNTS.format("rw") + "/dev/sda1 /boot/cmdline.txt ext4 rw 0 0\n")
    assert mounts.points(alpine.host) == ["/", "/media/mmc blk", "/media/mmc", "/boot/cmdline.txt"]
    alpine.remove("/proc/mounts")
    assert mounts.points(alpine.host) == []

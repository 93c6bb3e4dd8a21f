# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are not as most of them are."""

from __future__ import annotations

import pytest

from tests.plays import Supply, codes_of, only_in_full

from .conftest import Host, take
from .variables import NEW, OLD, SLOTS

pytestmark = [only_in_full, pytest.mark.long]

# Less than a slot takes.
LEFT_MIB = 15
FILL = (
    "free=$(df -m /boot | awk 'END { print $4 }') && "
    f"dd if=/dev/zero of=/boot/of-the-test bs=1M count=$((free - {LEFT_MIB})) && sync"
)
# What the boot loader reads stays behind the mount, so that firmware is asked nothing here.
VFAT = """
set -e
dd if=/dev/zero of=/var/vfat bs=1M count=150
mkfs.vfat /var/vfat
modprobe loop
modprobe vfat
mkdir -p /mnt/vfat
mount -o loop /var/vfat /mnt/vfat
cd /boot
cp -rL vmlinuz-virt initramfs-virt extlinux.conf *.c32 ldlinux.sys /mnt/vfat/
umount /mnt/vfat
mount -o loop /var/vfat /boot
"""
# Alpine's second flavour, of the same kernel: the lab has no other one.
SECOND_FLAVOUR = """
set -e
cp /boot/vmlinuz-virt /boot/vmlinuz-lts
cp -p /boot/initramfs-virt /boot/initramfs-lts
mkdir -p /usr/share/kernel/lts
cp /usr/share/kernel/virt/kernel.release /usr/share/kernel/lts/
update-extlinux
"""
PIN = "sed -i 's/^linux-virt$/linux-virt=6.18.38-r0/' /etc/apk/world"
A_YEAR = 365 * 24 * 3600


def test_boot_that_is_full_has_room_for_links(machines: Supply) -> None:
    """A slot on the file system of apk's kernel is of links, as long as apk has that kernel."""
    host = take(machines, "extlinux")
    host.apk_upgrade()
    host.host.check_output("sh -c %s", FILL)
    done = host.upgrade()
    assert done.rc == 0, done.output
    assert host.reboot() == "firmware"
    assert (host.release(), host.lost_modules()) == (NEW, "")


def test_boot_that_is_too_small_for_a_slot_is_said_before_anything_is_written(
    machines: Supply,
) -> None:
    host = machines.take(Host, "able-extlinux")
    host.host.check_output("sh -c %s", VFAT)
    host.host.check_output("sh -c %s", FILL)
    menu = host.read("/boot/extlinux.conf")
    refused = host.module("kernel_slot", state="present")
    assert (refused.status, codes_of(refused.result)) == ("failed", ["space_low"])
    assert host.read("/boot/extlinux.conf") == menu
    assert host.host.run(f"find {SLOTS} -type f").stdout == ""
    host.host.check_output("rm /boot/of-the-test")
    made = host.module("kernel_slot", state="present")
    assert (made.status, made.result["changed"]) == ("ok", True), made.result


def test_boot_on_vfat_gets_copies(machines: Supply) -> None:
    host = machines.take(Host, "able-extlinux")
    host.host.check_output("sh -c %s", VFAT)
    made = host.module("kernel_slot", state="present")
    assert (made.status, made.result["changed"]) == ("ok", True), made.result
    good = host.slots().good
    assert good is not None
    assert host.host.run(f"cmp /boot/vmlinuz-virt {SLOTS}/{good}/linux").rc == 0
    again = host.module("kernel_slot", state="present")
    assert (again.status, again.result["changed"]) == ("ok", False), again.result
    gone = host.module("kernel_slot", state="absent")
    assert (gone.status, gone.result["changed"]) == ("ok", True), gone.result
    assert not host.host.file(SLOTS).exists


def test_flavour_that_is_the_default_is_the_one_that_is_tried(machines: Supply) -> None:
    host = take(machines, "extlinux")
    host.host.check_output("sh -c %s", SECOND_FLAVOUR)
    host.apk_upgrade()
    run = host.upgrade()
    assert run.rc == 0, run.output
    assert host.reboot() == "firmware"
    assert host.release() == NEW


def test_kernel_that_is_pinned_is_not_upgraded_and_nothing_is_tried(machines: Supply) -> None:
    host = take(machines, "extlinux")
    host.host.check_output("sh -c %s", PIN)
    before = host.boot_id()
    run = host.upgrade()
    assert run.rc == 0, run.output
    assert (host.release(), host.boot_id()) == (OLD, before)
    assert host.slots().candidate["differs"] is False


def test_clock_that_is_a_year_behind_hinders_nothing(machines: Supply) -> None:
    host = take(machines, "extlinux")
    host.apk_upgrade()
    host.host.check_output(f"date -s @$(($(date +%s) - {A_YEAR})) && hwclock -w || true")
    run = host.upgrade()
    assert run.rc == 0, run.output
    assert (host.release(), host.trial()["state"]) == (NEW, "committed")

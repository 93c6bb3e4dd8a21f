# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of slots for those who read extlinux.conf and limine.conf."""

from __future__ import annotations

from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import labels
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    WantedSlots,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.kind import Site
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.mounts import Mount
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, TWO, slot

WANTED = WantedSlots(
    (
        slot(ONE, cmdline="a", title="One"),
        slot(
            TWO, cmdline="b", title="Two", initramfs=(), dtbs=f"/boot/alpinefleet-kexec/{TWO}/dtbs"
        ),
    ),
    ONE,
)


def test_labels_for_syslinux() -> None:
    site = Site("/boot/extlinux.conf", Mount("/boot"))
    assert (
        "".join(labels.in_syslinux(site, WANTED))
        == f"""\
LABEL alpinefleet-kexec-{ONE}
  MENU DEFAULT
  MENU LABEL One
  LINUX alpinefleet-kexec/{ONE}/linux
  INITRD alpinefleet-kexec/{ONE}/initrd
  APPEND a alpinefleet_kexec.slot={ONE}
LABEL alpinefleet-kexec-{TWO}
  MENU LABEL Two
  LINUX alpinefleet-kexec/{TWO}/linux
  APPEND b alpinefleet_kexec.slot={TWO}
"""
    )


def test_labels_for_uboot() -> None:
    site = Site("/boot/extlinux/extlinux.conf", Mount(""), syslinux=False)
    assert (
        "".join(labels.in_uboot(site, WANTED))
        == f"""\
LABEL alpinefleet-kexec-{ONE}
  MENU LABEL One
  LINUX /boot/alpinefleet-kexec/{ONE}/linux
  INITRD /boot/alpinefleet-kexec/{ONE}/initrd
  APPEND a alpinefleet_kexec.slot={ONE}
LABEL alpinefleet-kexec-{TWO}
  MENU LABEL Two
  LINUX /boot/alpinefleet-kexec/{TWO}/linux
  FDTDIR /boot/alpinefleet-kexec/{TWO}/dtbs
  APPEND b alpinefleet_kexec.slot={TWO}
"""
    )


def test_entries_for_limine() -> None:
    site = Site("/boot/limine/limine.conf", Mount("/boot"))
    assert (
        "".join(labels.in_limine(site, WANTED))
        == f"""\
/alpinefleet-kexec-{ONE}
  comment: One
  protocol: linux
  path: boot():/alpinefleet-kexec/{ONE}/linux
  module_path: boot():/alpinefleet-kexec/{ONE}/initrd
  cmdline: a alpinefleet_kexec.slot={ONE}
/alpinefleet-kexec-{TWO}
  comment: Two
  protocol: linux
  path: boot():/alpinefleet-kexec/{TWO}/linux
  cmdline: b alpinefleet_kexec.slot={TWO}
"""
    )

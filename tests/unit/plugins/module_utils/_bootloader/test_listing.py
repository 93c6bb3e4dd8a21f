# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All entries of a menu, and the default of boots for which nothing was ordered."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.listing import listed
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

TWO_DEFAULTS = """\
DEFAULT menu.c32
LABEL one
  MENU DEFAULT
  LINUX a
LABEL two
  MENU DEFAULT
  LINUX b
LABEL program
  COM32 reboot.c32
"""
GRUB = """\
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ]; then
  set default="${next_entry}"
else
  set default="one"
fi
menuentry 'One' --id one { linux /a }
menuentry 'Chain' { chainloader /x }
submenu 'More' --id more {
  menuentry 'Two' --id two { linux /b }
}
"""
LIMINE = """\
default_entry: 2
/One
  protocol: linux
  path: boot():/a
/Two
  protocol: linux
  path: boot():/b
/Three
  protocol: efi
"""


@pytest.mark.parametrize(
    ("loader", "path", "text", "names", "default"),
    [
        ("extlinux", "/boot/extlinux.conf", TWO_DEFAULTS, ["one", "two"], None),
        ("extlinux", "/boot/extlinux.conf", "INCLUDE x\n", [], None),
        ("uboot", "/boot/extlinux/extlinux.conf", "LABEL x\nLINUX /a\nAPPEND b\n", ["x"], "x"),
        ("grub", "/boot/grub/grub.cfg", GRUB, ["one", "more>two"], "one"),
        ("grub", "/boot/grub/grub.cfg", "set default=3\n" + GRUB[-5:], [], None),
        ("limine", "/boot/limine.conf", LIMINE, ["One", "Two"], "Two"),
        ("raspberrypi", "/boot/cmdline.txt", "quiet\n", [], None),
    ],
)
def test_entries_and_the_default(
    alpine: fakes.FakeHost, loader: str, path: str, text: str, names: list[str], default: t.Any
) -> None:
    alpine.write("/boot/grub/grubenv", "# GRUB Environment Block\nnext_entry=more>two\n")
    alpine.write("/proc/sys/kernel/arch", "aarch64\n")
    found = listed(loader, alpine.host, path, text)
    assert [each.name for each in found.entries] == names
    assert (found.default.name if isinstance(found.default, Entry) else None) == default


def test_menu_that_is_not_there(alpine: fakes.FakeHost) -> None:
    assert listed("grub", alpine.host, "/boot/grub/grub.cfg", None).default == "it is not there"

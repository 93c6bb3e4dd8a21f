# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of boot loaders before one of them is chosen."""

from __future__ import annotations

from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    menu_commands,
    traces,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.traces import Traces
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

NO_MENUS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ["extlinux", "grub", "limine", "uboot", "raspberrypi", "syslinux"], ()
)


def test_host_with_one_loader(alpine: fakes.FakeHost) -> None:
    assert traces.traces_of(alpine.host) == Traces(
        started_by=52,
        menus={**NO_MENUS, "extlinux": ("/boot/extlinux.conf",)},
        texts={"/etc/zipl.conf": None, "/etc/kernel-hooks.d/secureboot.conf": None},
        installed=menu_commands.installed_on(alpine.host),
        of_extlinux=True,
        configurations=("\n",),
    )


def test_host_with_something_of_everything(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/sys/kernel/arch", "aarch64\n")
    alpine.write("/proc/sys/kernel/bootloader_type", "unknown\n")
    alpine.runner.installed["zipl"] = "/sbin/zipl"
    for path, text in {
        "/boot/grub/grub.cfg": "",
        "/boot/cmdline.txt": "quiet\n",
        "/boot/config.txt": "a=1",
        "/boot/usercfg.txt": "b=2",
        "/media/sda1/boot/syslinux/syslinux.cfg": "",
        "/media/usb/syslinux.cfg": "",
        "/media/usb/other.cfg": "",
        "/etc/update-extlinux.conf": "",
        "/etc/zipl.conf": "[alpine]\n",
        "/boot/startup.nsh": "",
        "/etc/kernel-hooks.d/secureboot.conf": "cmdline=a\n",
    }.items():
        alpine.write(path, text)
    found = traces.traces_of(alpine.host)
    assert found.menus == {
        **NO_MENUS,
        "extlinux": ("/boot/extlinux.conf",),
        "grub": ("/boot/grub/grub.cfg",),
        "raspberrypi": ("/boot/cmdline.txt",),
        "syslinux": ("/media/sda1/boot/syslinux/syslinux.cfg", "/media/usb/syslinux.cfg"),
    }
    assert found.files == {"/etc/update-extlinux.conf", "/etc/zipl.conf", "/boot/startup.nsh"}
    assert found.texts == {
        "/etc/zipl.conf": "[alpine]\n",
        "/etc/kernel-hooks.d/secureboot.conf": "cmdline=a\n",
    }
    assert (found.started_by, found.of_extlinux) == (None, False)
    assert found.configurations == ("a=1\nb=2",)
    assert found.installed.commands == {"zipl": "/sbin/zipl"}

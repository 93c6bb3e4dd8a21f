# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot loaders boot slots."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.editors import (
    EDITORS,
    Settings,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import kinds
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.kind import Site
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.once import (
    can_once,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, slot

WITH = {"extlinux", "grub", "limine", "uboot"}
# As the package linux-rpi has it, a file that it writes over, and one of the user.
CONFIG_TXT = """\
kernel=vmlinuz-rpi
initramfs initramfs-rpi
arm_64bit=1
dtoverlay=vc4-kms-v3d
include usercfg.txt
"""
RASPBERRY_PI = {
    "/boot/cmdline.txt": "root=UUID=1-2 modules=sd-mod,usb-storage,ext4 quiet\n",
    "/boot/config.txt": CONFIG_TXT,
    "/boot/usercfg.txt": "enable_uart=1\n",
}
ASKED: dict[str, t.Callable[[Host], object]] = {
    "a look": look,
    "a look for one flavour": lambda host: look(host, "rpi"),
    "a proof from cold": can_once,
    "what would come": lambda host: ensure(host, [slot(ONE)], ONE, check_mode=True),
    "a slot": lambda host: ensure(host, [slot(ONE)], ONE, check_mode=False),
    "none any more": lambda host: ensure(host, [], None, check_mode=False),
}


def settings(loader: str) -> Settings:
    return Settings(loader, ("/x",), lambda _texts: [], menu="/y")


@pytest.mark.parametrize("loader", [editor.name for editor in EDITORS])
def test_each_boot_loader_has_slots_or_is_refused(loader: str) -> None:
    if loader in WITH:
        assert kinds.kind_of(settings(loader)).named(Site("/y"), "/x")
        return
    with pytest.raises(ReasonError, match=f"boot loader {loader}:"):
        kinds.kind_of(settings(loader))


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_raspberry_pi_says_what_would_still_be_of_apk(
    alpine: fakes.FakeHost, ask: t.Callable[[Host], object]
) -> None:
    alpine.remove("/boot/extlinux.conf")
    alpine.remove("/proc/sys/kernel/bootloader_type")
    for path, text in {"/proc/sys/kernel/arch": "aarch64\n", **RASPBERRY_PI}.items():
        alpine.write(path, text)
    with pytest.raises(ReasonError) as caught:
        ask(alpine.host)
    found = caught.value.reason
    assert (found.code, found.blocks) == ("slots_unsupported", "nothing")
    assert found.message == (
        "Slots cannot be had with the boot loader raspberrypi: apk writes over config.txt, the "
        "device trees and the overlays that its firmware reads with any kernel, and no other entry "
        "is there to go back to."
    )
    assert found.remedy.endswith("or upgrade its kernel without slots.")
    assert {path: alpine.host.text(path) for path in RASPBERRY_PI} == RASPBERRY_PI
    assert not alpine.host.exists("/boot/alpinefleet-kexec")

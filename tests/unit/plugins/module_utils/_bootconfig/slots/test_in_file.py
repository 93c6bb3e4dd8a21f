# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots in a menu that nothing makes anew."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import parameter
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import Options
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, TWO, slot

UBOOT, EXTLINUX = "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf"
OF_UBOOT = """\
timeout 10
default lts
label lts
  kernel /boot/vmlinuz-lts
  initrd /boot/initramfs-lts
  fdtdir /boot/dtbs-lts
  append root=UUID=1 quiet
"""
NO_DEFAULT = OF_UBOOT.replace("default lts\n", "")
MARKED = NO_DEFAULT.replace("label lts\n", "label lts\n  menu default\n")
BY_LABEL = OF_UBOOT.replace("default", "prompt 0\ndefault")
MENUS = [
    pytest.param(UBOOT, OF_UBOOT, id="U-Boot"),
    pytest.param(UBOOT, OF_UBOOT[:-1], id="U-Boot, no end of the last line"),
    pytest.param(UBOOT, NO_DEFAULT, id="U-Boot, first label"),
    pytest.param(UBOOT, MARKED, id="U-Boot, marked label"),
    pytest.param(EXTLINUX, fakes.extlinux("root=UUID=1"), id="extlinux with a menu"),
    pytest.param(EXTLINUX, BY_LABEL, id="extlinux with a label"),
]
ENTRIES = [slot(ONE, cmdline="root=UUID=1 quiet"), slot(TWO, cmdline="root=UUID=1")]


def host_with(alpine: fakes.FakeHost, path: str, text: str) -> fakes.FakeHost:
    alpine.remove(EXTLINUX)
    alpine.write(path, text)
    if path == UBOOT:
        alpine.write("/proc/sys/kernel/arch", "aarch64\n")
        alpine.remove("/proc/sys/kernel/bootloader_type")
    return alpine


def put(alpine: fakes.FakeHost, default: str | None, *, check_mode: bool = False) -> bool:
    entries = ENTRIES if default else []
    result = ensure(alpine.host, entries, default, check_mode=check_mode)
    return bool(result["changed"])


@pytest.mark.parametrize(("path", "text"), MENUS)
def test_slots_come_and_go_in_one_write(alpine: fakes.FakeHost, path: str, text: str) -> None:
    host_with(alpine, path, text)
    assert put(alpine, ONE, check_mode=True)
    assert alpine.path(path).read_text() == text
    for default in (ONE, TWO):
        assert put(alpine, default)
        menus = look(alpine.host)
        assert (menus.default, menus.configured, menus.agrees) == (default, default, True)
        assert menus.named == {ONE, TWO}
        assert menus.apks is not None
        assert not put(alpine, default)
    assert put(alpine, None)
    assert alpine.path(path).read_text() == text
    assert not put(alpine, None)


@pytest.mark.parametrize(("path", "text"), MENUS)
def test_parameter_leaves_slots_alone(alpine: fakes.FakeHost, path: str, text: str) -> None:
    host_with(alpine, path, text)
    put(alpine, ONE)
    options = Options((Change("panic", "10"),), "auto", False)
    assert parameter.ensure(alpine.host, lambda: options, check_mode=False)["changed"]
    assert alpine.path(path).read_text().count("panic=10") == 1
    assert not put(alpine, ONE)


def test_block_that_lost_its_end_is_refused(alpine: fakes.FakeHost) -> None:
    host_with(alpine, UBOOT, OF_UBOOT)
    put(alpine, ONE)
    cut = alpine.path(UBOOT).read_text().replace("# END alpinefleet.kexec\n", "")
    alpine.write(UBOOT, cut)
    with pytest.raises(ReasonError) as caught:
        put(alpine, None)
    assert caught.value.reason.code == "slots_edited"
    assert alpine.path(UBOOT).read_text() == cut
    assert not look(alpine.host).agrees

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our script for grub-mkconfig under the shell of Alpine; changes are tested with ensure."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings.grub import (
    SETTINGS,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import grub
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    label_of,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import listing
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.listing import Listing
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import (
    GRUB_LIBRARY,
    ONE,
    TWO,
    Machine,
    slots,
)


def run(machine: Machine, default: str, *shell: str, strip: str = "") -> str:
    folder = machine.path("/usr/share/grub")
    (folder / "grub-mkconfig_lib").write_text(GRUB_LIBRARY)
    environment = {
        "GRUB_DEFAULT": default,
        "GRUB_DEVICE_BOOT": "/dev/vda2",
        "STRIP": strip,
        "pkgdatadir": str(folder),
    }
    command = [*shell, str(machine.path(grub.SCRIPT))]
    return subprocess.check_output(command, env={**environment, "PATH": "/usr/bin:/bin"}, text=True)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "host", "grub")
    ensure(machine.host, slots(ONE, TWO), TWO, check_mode=False)
    return machine


@pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")
@pytest.mark.parametrize(("strip", "place"), [("", "/boot"), ("/boot", "")])
def test_script_gives_the_default_first(machine: Machine, strip: str, place: str) -> None:
    said = run(machine, label_of(ONE), "busybox", "sh", strip=strip)
    assert said.index(f"--id {label_of(TWO)} ") < said.index(f"--id {label_of(ONE)} ")
    assert f"    linux {place}/alpinefleet-kexec/{TWO}/linux root=" in said
    assert f"    initrd {place}/alpinefleet-kexec/{TWO}/initrd\n" in said
    assert "\tsearch --no-floppy --fs-uuid --set=root 1-2\n" in said


@pytest.mark.parametrize("default", ["", "0", "saved", "gnulinux-virt"])
def test_script_says_nothing_where_the_default_is_none_of_ours(
    machine: Machine, default: str
) -> None:
    assert run(machine, default) == ""


def test_number_of_a_default_means_the_same_entry_beside_the_script(machine: Machine) -> None:
    machine.edit(SETTINGS, f"GRUB_DEFAULT={label_of(TWO)}\n", "")
    machine.remake()
    assert machine.boots() == "gnulinux-virt"


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs shellcheck")
def test_script_is_clean(machine: Machine) -> None:
    command = ["shellcheck", "--severity=warning", str(machine.path(grub.SCRIPT))]
    subprocess.run(command, check=True)


@pytest.mark.parametrize(
    ("settings", "entry"),
    [
        ("GRUB_DEFAULT=0\n", "gnulinux-lts"),
        ("", "gnulinux-lts"),
        ("GRUB_DEFAULT='Alpine, with Linux virt'\n", "gnulinux-virt"),
        ("GRUB_DEFAULT=gnulinux-virt\n", "gnulinux-virt"),
        ("GRUB_DEFAULT=1\n", None),
        ("GRUB_DEFAULT=saved\n", None),
        ("GRUB_DEFAULT=$(x)\n", None),
    ],
)
def test_entry_that_is_apks_default(machine: Machine, settings: str, entry: str | None) -> None:
    from_menu = grub.OF_GRUB.apks({SETTINGS: settings}, listing_of(machine), None)
    assert (from_menu and from_menu.name) == entry
    found = grub.OF_GRUB.apks({SETTINGS: settings}, listing_of(machine), "virt")
    assert found is not None


def listing_of(machine: Machine) -> Listing:
    return listing.listed("grub", machine.host, machine.menu, machine.read(machine.menu))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is configured behind each boot loader after converge, and that it can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plays import Machine

FILES = Path(__file__).parents[1] / "files"
PARAMETERS = [{"name": "kexec_load_disabled", "value": "0"}, {"name": "panic", "value": "10"}]
WORDS = "kexec_load_disabled=0 panic=10"


@dataclass(frozen=True)
class Case:
    """A boot loader, the file that is edited, and the end of the command line in it."""

    name: str
    path: str
    end: str
    # What is made of it, and holds the words then.
    made: str | None = None


CASES = (
    Case("extlinux", "/etc/update-extlinux.conf", "rootfstype=ext4", "/boot/extlinux.conf"),
    Case("grub", "/etc/default/grub", "ext4 quiet", "/boot/grub/grub.cfg"),
    Case("limine", "/boot/limine/limine.conf", "ext4 quiet"),
    Case("uboot", "/boot/extlinux/extlinux.conf", "ext4 quiet"),
    Case("raspberrypi", "/boot/cmdline.txt", "ext4 quiet"),
    Case("zipl", "/etc/zipl.conf", "ext4 quiet", "/boot/bootmap"),
    Case("efi_stub", "/boot/startup.nsh", "ext4 quiet"),
    Case("uki", "/etc/kernel-hooks.d/secureboot.conf", "ext4 quiet", "/boot/uki"),
    Case("syslinux", "/media/usb/boot/syslinux/syslinux.cfg", "usb-storage quiet"),
)
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture
def container(request: pytest.FixtureRequest, case: Case) -> Machine:
    name = f"parameter-{case.name.replace('_', '-')}"
    return Machine(name, request.config.getoption("ansible_inventory"))


def original(case: Case) -> bytes:
    return (FILES / case.name / case.path.lstrip("/")).read_bytes()


def wanted(case: Case) -> bytes:
    """The original with the words where the command line ends, and nothing else."""
    assert original(case).count(case.end.encode()) == 1
    return original(case).replace(case.end.encode(), f"{case.end} {WORDS}".encode())


def content(container: Machine, path: str) -> bytes:
    return bytes(container.host.file(path).content)


@each_case
def test_parameters_are_set_and_nothing_else_is_changed(container: Machine, case: Case) -> None:
    assert content(container, case.path) == wanted(case)
    if case.made is not None:
        assert WORDS.encode() in content(container, case.made)


@each_case
def test_check_mode_foretells_what_absent_does_byte_by_byte(container: Machine, case: Case) -> None:
    arguments = {"parameters": PARAMETERS, "state": "absent"}
    foretold = container.module("boot_parameter", "--check", "--diff", **arguments)
    assert content(container, case.path) == wanted(case)
    done = container.module("boot_parameter", "--diff", **arguments)
    assert done.result["boot_loader"] == case.name
    assert foretold.result["diff"] == done.result["diff"]
    assert content(container, case.path) == original(case)
    if case.made is not None:
        assert b"panic" not in content(container, case.made)
    assert not container.module("boot_parameter", **arguments).result["changed"]

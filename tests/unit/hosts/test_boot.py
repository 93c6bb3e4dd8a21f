# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import uuid

import pytest

from tests.hosts.boot import KEXEC, Boot, Image, Method, after, downtime, method
from tests.hosts.script import Script

IMAGE = Image("6.2", "abc")
BOOT = Boot(release="6.1")

WAYS: list[tuple[Script, Method, Image | None, Method]] = [
    (Script(), "kexec", IMAGE, "kexec"),
    (Script(), "firmware", IMAGE, "firmware"),
    (Script(), "kexec", None, "firmware"),
    (Script(comes_up="firmware"), "kexec", IMAGE, "firmware"),
    (Script(comes_up="other_image"), "kexec", IMAGE, "kexec"),
]


@pytest.mark.parametrize(("script", "ordered", "image", "way"), WAYS)
def test_way_in_which_a_host_comes_up(
    script: Script, ordered: Method, image: Image | None, way: Method
) -> None:
    assert method(script, ordered, image) == way


def test_boot_after_kexec_carries_the_token_of_the_image() -> None:
    boot = after(BOOT, Script(), "kexec", IMAGE)
    assert "alpinefleet_kexec.token=abc" in boot.cmdline.split()
    assert (boot.number, boot.release, boot.bootloader_type) == (1, "6.2", KEXEC)


def test_boot_after_firmware_is_like_the_first() -> None:
    boot = after(BOOT, Script(), "firmware", IMAGE)
    assert (boot.cmdline, boot.release) == (BOOT.cmdline, "6.1")
    assert boot.bootloader_type == BOOT.bootloader_type


def test_each_boot_has_an_id_of_its_own() -> None:
    boot = after(BOOT, Script(), "kexec", IMAGE)
    assert uuid.UUID(boot.boot_id) != uuid.UUID(BOOT.boot_id)


def test_boot_of_somebody_elses_image_has_no_token() -> None:
    boot = after(BOOT, Script(comes_up="other_image"), "kexec", IMAGE)
    assert "alpinefleet_kexec.token" not in boot.cmdline
    assert boot.bootloader_type == KEXEC


@pytest.mark.parametrize("way", ["kexec", "firmware"])
def test_release_of_the_script_comes_up_either_way(way: Method) -> None:
    assert after(BOOT, Script(release="6.9"), way, IMAGE).release == "6.9"


@pytest.mark.parametrize(
    ("script", "way", "seconds"),
    [
        (Script(downtime=3.0), "kexec", 3.0),
        (Script(downtime=3.0), "firmware", 3.0),
        (Script(downtime=3.0, firmware_downtime=9.0), "kexec", 3.0),
        (Script(downtime=3.0, firmware_downtime=9.0), "firmware", 9.0),
    ],
)
def test_downtime(script: Script, way: Method, seconds: float) -> None:
    assert downtime(script, way) == seconds

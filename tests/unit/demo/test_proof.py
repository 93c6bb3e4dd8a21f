# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot runs is read from the kernel's answer, and a reboot takes two of them."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from tests.demo import proof
from tests.demo.proof import Boot, Reboot

# As a machine with SeaBIOS and extlinux answers, and the same machine after kexec.
FIRMWARE_ANSWER = """\
3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77
6.18.56-0-virt
52
BOOT_IMAGE=vmlinuz-virt root=UUID=0e5f4a3c modules=ext4 quiet kexec_load_disabled=0 initrd=initramfs-virt
"""
KEXEC_ANSWER = """\
d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1
6.18.56-0-virt
208
root=UUID=0e5f4a3c modules=ext4 quiet kexec_load_disabled=0 alpinefleet_kexec.token=5f2b6c0e
"""


def test_parse_of_a_real_answer() -> None:
    assert proof.parse(KEXEC_ANSWER) == Boot(
        boot_id="d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1",
        kernel="6.18.56-0-virt",
        loader="208",
        cmdline="root=UUID=0e5f4a3c modules=ext4 quiet kexec_load_disabled=0 "
        "alpinefleet_kexec.token=5f2b6c0e",
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param(FIRMWARE_ANSWER.partition("52")[0], id="cut"),
        pytest.param(f"Welcome to Alpine!\n{FIRMWARE_ANSWER}", id="greeting"),
    ],
)
def test_parse_refuses_another_answer(answer: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        proof.parse(answer)


def test_question_is_one_command_that_a_shell_understands() -> None:
    words = subprocess.check_output(["sh", "-c", f"set -- {proof.QUESTION}\necho $#"], text=True)
    assert words == "5\n"


@pytest.mark.parametrize(
    ("loader", "method"),
    [
        pytest.param("208", "kexec", id="kexec-tools"),
        pytest.param("52", "firmware", id="extlinux"),
        pytest.param("114", "firmware", id="GRUB"),
        pytest.param("0", "firmware", id="a loader without a number"),
    ],
)
def test_method_is_told_by_the_number_of_the_loader(loader: str, method: str) -> None:
    # Not by the token: what is measured must hold for any way to reboot.
    assert replace(proof.parse(KEXEC_ANSWER), loader=loader).method == method


BEFORE, AFTER = proof.parse(FIRMWARE_ANSWER), proof.parse(KEXEC_ANSWER)


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        pytest.param(AFTER, True, id="another boot"),
        pytest.param(BEFORE, False, id="the same boot"),
        pytest.param(replace(AFTER, boot_id=BEFORE.boot_id), False, id="all but the boot differs"),
        pytest.param(replace(BEFORE, boot_id=AFTER.boot_id), True, id="only the boot differs"),
    ],
)
def test_reboot_is_proven_by_the_boot_alone(after: Boot, proven: bool) -> None:
    assert Reboot("somebody", BEFORE, after, 5.0).proven is proven


def test_reboot_as_a_dictionary() -> None:
    assert Reboot("somebody", BEFORE, AFTER, 6.4321).as_dict() == {
        "by": "somebody",
        "method": "kexec",
        "downtime": 6.4,
        "release": {"before": "6.18.56-0-virt", "after": "6.18.56-0-virt"},
        "boot_id": {"before": BEFORE.boot_id, "after": AFTER.boot_id},
        "cmdline": {"before": BEFORE.cmdline, "after": AFTER.cmdline},
    }

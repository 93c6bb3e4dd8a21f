# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer counts only if it is whole, framed by this call's number, and valid."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import (
    observation as observation_module,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Observation,
)

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
TOKEN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
HARDWARE_ID = "dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32"
ANSWER = f"""\
BEGIN n0nce
boot_id {BOOT_ID}
release 6.18.38-0-virt
bootloader_type 114
hardware_id dmi:4C4C4544-0042-3510-8056-B4C04F4A4E32
uptime 4000.93 7900.00
stage {TOKEN} shutdown
cmdline root=/dev/vda1 quiet
END n0nce
"""


def observation(*, cmdline: str = "quiet", bootloader_type: str = "114") -> Observation:
    return Observation(BOOT_ID, "6.18.38-0-virt", cmdline, bootloader_type, "", "", 4000.93)


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(ANSWER, id="plain"),
        pytest.param(ANSWER.replace("\n", "\r\n"), id="through a terminal"),
        pytest.param(ANSWER.replace("\n", "\r\r\n"), id="through two terminals"),
        pytest.param(f"Welcome!\n{ANSWER}logout\n", id="with a greeting"),
        pytest.param(ANSWER.replace(BOOT_ID, BOOT_ID.upper()), id="boot_id in capitals"),
        pytest.param(ANSWER.replace("release", "sudo: unable to log\nrelease"), id="noise inside"),
    ],
)
def test_parse_finds_the_answer(output: str) -> None:
    assert observation_module.parse(output, "n0nce") == Observation(
        BOOT_ID,
        "6.18.38-0-virt",
        "root=/dev/vda1 quiet",
        "114",
        TOKEN,
        "shutdown",
        uptime=4000.93,
        hardware_id=HARDWARE_ID,
    )


def test_parse_of_a_host_that_nobody_leaves() -> None:
    answer = observation_module.parse(ANSWER.replace(f"stage {TOKEN} shutdown", "stage "), "n0nce")
    assert answer is not None
    assert (answer.leaver, answer.stage) == ("", "")


def test_parse_of_a_machine_without_that_boot_protocol() -> None:
    answer = observation_module.parse(ANSWER.replace(" 114", " "), "n0nce")
    assert answer is not None
    assert answer.bootloader_type == ""


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("", id="nothing"),
        pytest.param("Last login: never\n", id="a greeting only"),
        pytest.param(ANSWER.replace("n0nce", "0ther"), id="another call's number"),
        pytest.param(ANSWER.replace("END n0nce\n", ""), id="cut off"),
        pytest.param(ANSWER.replace("BEGIN n0nce\n", ""), id="without its beginning"),
        pytest.param(f" {ANSWER}", id="not at the start of a line"),
        pytest.param(ANSWER.replace(BOOT_ID, ""), id="empty boot_id"),
        pytest.param(ANSWER.replace(BOOT_ID, "cat: not found"), id="boot_id that is none"),
        pytest.param(ANSWER.replace("boot_id", "boot"), id="no boot_id"),
        pytest.param(ANSWER.replace("release", "version"), id="no release"),
        pytest.param(ANSWER.replace("stage", "phase"), id="no stage"),
        pytest.param(ANSWER.replace("cmdline", "line"), id="no command line"),
        pytest.param(ANSWER.replace("bootloader_type", "loader"), id="no boot loader type"),
        pytest.param(ANSWER.replace("uptime", "time"), id="no uptime"),
        pytest.param(ANSWER.replace("4000.93 7900.00", ""), id="empty uptime"),
        pytest.param(ANSWER.replace("4000.93", "nan"), id="uptime that is none"),
        pytest.param(ANSWER.replace("hardware_id", "hardware"), id="no number of the machine"),
    ],
)
def test_parse_refuses(output: str) -> None:
    assert observation_module.parse(output, "n0nce") is None


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\v", "\x1e"])
def test_parse_takes_only_line_feeds_for_the_end_of_a_line(separator: str) -> None:
    said = ANSWER.replace("quiet", f"quiet{separator}release 9.9{separator}boot_id x")
    found = observation_module.parse(said, "n0nce")
    assert found is not None
    assert (found.release, found.boot_id) == ("6.18.38-0-virt", BOOT_ID)


def test_parse_takes_the_nonce_literally() -> None:
    assert observation_module.parse(ANSWER, "n.nce") is None


@pytest.mark.parametrize(
    ("cmdline", "bootloader_type", "expected"),
    [
        pytest.param(f"alpinefleet_kexec.token={TOKEN}", "208", "kexec", id="our image"),
        pytest.param(f"alpinefleet_kexec.token={TOKEN}", "", "kexec", id="our image, no x86"),
        pytest.param(f'a="b c alpinefleet_kexec.token={TOKEN}"', "", "firmware", id="in a value"),
        pytest.param(f"x.alpinefleet_kexec.token={TOKEN}", "", "firmware", id="part of a word"),
        pytest.param(f"a -- alpinefleet_kexec.token={TOKEN}", "", "firmware", id="for init"),
        pytest.param(f"\xa0alpinefleet_kexec.token={TOKEN}", "", "firmware", id="part of a name"),
        pytest.param("quiet", "114", "firmware", id="boot loader"),
        pytest.param("quiet", "", "firmware", id="boot loader, no x86"),
        pytest.param("quiet", "208", None, id="another image"),
        pytest.param("alpinefleet_kexec.token=old", "208", None, id="image of an earlier run"),
        pytest.param("alpinefleet_kexec.token=old", "", None, id="image of an earlier run, no x86"),
        pytest.param(f"alpinefleet_kexec.token={TOKEN}0", "", None, id="longer token, no x86"),
        pytest.param("alpinefleet_kexec.token=old", "114", "firmware", id="token in the menu"),
    ],
)
def test_method(cmdline: str, bootloader_type: str, expected: str | None) -> None:
    found = observation(cmdline=cmdline, bootloader_type=bootloader_type)
    assert found.method(TOKEN) == expected


@pytest.mark.parametrize(
    ("before", "after", "other"),
    [
        pytest.param(HARDWARE_ID, HARDWARE_ID, False, id="the same"),
        pytest.param(HARDWARE_ID, "dmi:f00d", True, id="another"),
        pytest.param(HARDWARE_ID, "tree:f00d", False, id="another kind of number"),
        pytest.param(None, HARDWARE_ID, False, id="not known before"),
        pytest.param(HARDWARE_ID, None, False, id="not known now"),
        pytest.param(None, None, False, id="machine without one"),
    ],
)
def test_other_machine(before: str | None, after: str | None, other: bool) -> None:
    found = dataclasses.replace(observation(), hardware_id=after)
    assert found.is_other_machine(before) is other


@pytest.mark.parametrize(
    ("cmdline", "bootloader_type", "expected"),
    [
        pytest.param("quiet", "208", "firmware", id="as after each boot"),
        pytest.param(f"alpinefleet_kexec.token={TOKEN}", "208", "kexec", id="our image"),
        pytest.param("alpinefleet_kexec.token=old", "208", None, id="image of an earlier run"),
        pytest.param("quiet", "114", "firmware", id="another boot loader since"),
    ],
)
def test_method_where_the_boot_loader_ends_in_a_kexec(
    cmdline: str, bootloader_type: str, expected: str | None
) -> None:
    found = observation(cmdline=cmdline, bootloader_type=bootloader_type)
    assert found.method(TOKEN, loader_ends_in_kexec=True) == expected

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two looks at a host are compared by."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plays import State, machine

STATE = State(
    boot_id="3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77",
    loaded="0",
    cmdline="BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 quiet panic=10 initrd=initramfs-virt",
    files=frozenset(
        {
            "/etc/passwd 644 1200 1764000000",
            "/srv/a file 600 0 1764000001",
            "/srv/a 600 0 1764000001",
        }
    ),
)


def test_names_are_without_mode_size_and_age() -> None:
    assert STATE.names == {"/etc/passwd", "/srv/a file", "/srv/a"}


def test_names_of_a_file_that_was_written_again_are_the_same() -> None:
    later = replace(STATE, files=frozenset(line.replace("17640", "17650") for line in STATE.files))
    assert later.files != STATE.files
    assert later.names == STATE.names


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        pytest.param(
            (),
            [
                "BOOT_IMAGE=vmlinuz-virt",
                "root=/dev/vda1",
                "quiet",
                "panic=10",
                "initrd=initramfs-virt",
            ],
            id="everything",
        ),
        pytest.param(
            ("BOOT_IMAGE=", "initrd="),
            ["root=/dev/vda1", "quiet", "panic=10"],
            id="less the loader's",
        ),
        pytest.param(
            ("BOOT_IMAGE=", "initrd=", "panic"),
            ["root=/dev/vda1", "quiet"],
            id="less what begins so",
        ),
        pytest.param(
            ("IMAGE", "alpinefleet_kexec.token="),
            [
                "BOOT_IMAGE=vmlinuz-virt",
                "root=/dev/vda1",
                "quiet",
                "panic=10",
                "initrd=initramfs-virt",
            ],
            id="less what is not there",
        ),
    ],
)
def test_parameters(without: tuple[str, ...], expected: list[str]) -> None:
    assert STATE.parameters(*without) == expected


def test_list_of_files_has_regular_files_and_leaves_out_what_every_boot_writes(
    tmp_path: Path,
) -> None:
    for name in ("etc/passwd", "var/log/messages", "root/.ansible/x", "run/openrc/softlevel"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "etc/link").symlink_to("passwd")
    # The same command below another root.
    command = machine.LIST_FILES.replace("find / /run", f"find {tmp_path}")
    command = command.replace("-path /", f"-path {tmp_path}/")
    lines = subprocess.check_output(["sh", "-c", command], text=True).splitlines()
    listed = State("", "", "", frozenset(lines))
    assert listed.names == {f"{tmp_path}/etc/passwd"}

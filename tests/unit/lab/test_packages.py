# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alpine packages made from Debian's programs: the parts without files of Debian's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import packages


@pytest.mark.parametrize(
    ("debian", "alpine"),
    [
        ("1%3a9.2p1-2+deb12u10", "9.2_p1-r2"),
        ("3.11.2-1+b1", "3.11.2-r1"),
        ("1%3a2.0.25-3+deb12u3", "2.0.25-r3"),
        ("3%3a6.04~git20190206.bf6db5b4+dfsg1-3", "6.04-r3"),
        ("2.36-9+deb12u14", "2.36-r9"),
        ("2023", "2023-r0"),
    ],
)
def test_alpine_version(debian: str, alpine: str) -> None:
    assert packages.alpine_version(debian) == alpine


def test_parse_ldd_takes_the_resolved_files() -> None:
    text = (
        "\tlinux-vdso.so.1 (0x0)\n"
        "\tlibz.so.1 => /s p/lib/libz.so.1 (0x1)\n"
        "\t/lib64/ld-linux-x86-64.so.2 => /s/lib64/ld-linux-x86-64.so.2 (0x2)\n"
    )
    expected = [Path("/s p/lib/libz.so.1"), Path("/s/lib64/ld-linux-x86-64.so.2")]
    assert packages.parse_ldd(text) == expected


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x7fELF\x02" + bytes(11) + b"\x03\x00", True),
        (b"\x7fELF\x02" + bytes(11) + b"\x01\x00", False),
        (b"\x7fELF\x01" + bytes(11) + b"\x03\x00", False),
        (b"#!/bin/sh\n", False),
        (b"", False),
    ],
    ids=["shared object", "object file", "32 bit", "script", "empty"],
)
def test_elf_files(tmp_path: Path, head: bytes, found: bool) -> None:
    (tmp_path / "file").write_bytes(head)
    (tmp_path / "link").symlink_to("file")
    assert [path.name for path in packages.elf_files(tmp_path)] == (["file"] if found else [])

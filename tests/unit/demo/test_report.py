# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of the demonstration: a table for people, and one line of JSON for programs."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from tests.demo import report
from tests.demo.__main__ import PLAYBOOKS, WIDTH
from tests.demo.proof import Boot, Reboot

BOOTS = [
    Boot(f"{number}b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77", "6.18.56-0-virt", loader, "quiet")
    for number, loader in enumerate(["52", "52", "208"])
]
REBOOTS = [
    Reboot("ansible.builtin.reboot", BOOTS[0], BOOTS[1], 31.26),
    Reboot("alpinefleet.kexec", BOOTS[1], BOOTS[2], 6.4),
]


@pytest.fixture
def rows() -> dict[str, list[str]]:
    """The cells of each printed row by the first of them, as wide as ./demo prints it."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    console.print(report.table(REBOOTS))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().replace("┃", "│").splitlines()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    return {first: rest for first, *rest in cells}


def test_table_has_a_column_for_each_reboot(rows: dict[str, list[str]]) -> None:
    assert rows == {
        "": ["ansible.builtin.reboot", "alpinefleet.kexec"],
        "method": ["firmware", "kexec"],
        "downtime": ["31.3 s", "6.4 s"],
        "release": ["6.18.56-0-virt", "6.18.56-0-virt"],
        "boot_id before": [BOOTS[0].boot_id, BOOTS[1].boot_id],
        "boot_id after": [BOOTS[1].boot_id, BOOTS[2].boot_id],
    }


def test_line_is_one_line_of_json() -> None:
    line = report.line(REBOOTS)
    assert "\n" not in line
    assert json.loads(line) == {"reboots": [reboot.as_dict() for reboot in REBOOTS]}


def test_line_without_reboots() -> None:
    assert report.line([]) == '{"reboots": []}'


def test_playbooks_of_both_ways_exist() -> None:
    assert list(PLAYBOOKS) == [reboot.by for reboot in REBOOTS]
    assert [path for path in PLAYBOOKS.values() if not path.is_file()] == []

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernel_slot as Ansible runs it."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.situation import GUARDIANS
from ansible_collections.alpinefleet.kexec.plugins.modules import kernel_slot
from ansible_collections.alpinefleet.kexec.tests.unit import documentation, fakes, slots
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import STAND_IN

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = kernel_slot.main
DOCS = documentation.of("kernel_slot")
WITH_STATE = "with O(state) or O(good)"
COMMAND = """\
#!/bin/sh -e
UPDATE_EXTLINUX_ROOT={root} exec sh {tool} "$@"
"""


@pytest.fixture(autouse=True)
def generated(machine: Machine) -> None:
    alpine = machine.alpine
    command = machine.folder / "update-extlinux"
    command.write_text(COMMAND.format(root=alpine.root, tool=STAND_IN))
    command.chmod(0o755)
    slots.install(alpine.root)
    alpine.path("/etc/update-extlinux.d").mkdir()
    alpine.write("/etc/update-extlinux.conf", "overwrite=1\nroot=UUID=1\ndefault=virt\n")
    for service in GUARDIANS:
        alpine.write(f"/etc/runlevels/sysinit/{service}", "")
    subprocess.run([command], check=True)


@pytest.fixture
def returned(documented: type[Documented]) -> Documented:
    return documented(DOCS.returns)


def test_result_is_the_documented_one(machine: Machine, returned: Documented, own: Own) -> None:
    result = machine.run(main)
    assert own(result) == returned.names("always", "success")
    assert set(result["candidate"]) == returned.within("candidate")
    result = machine.run(main, state="present")
    assert own(result) == returned.names("always", "success", WITH_STATE)
    assert [set(slot) for slot in result["slots"]] == [returned.within("slots")]
    assert result["changed"]
    menu, difference = result["diff"][0], result["diff"][-1]
    assert result["good"] in menu["after"]
    assert (difference["before"], difference["after"]) == ("", f"{result['good']} (good)\n")
    again = machine.run(main, good=result["good"])
    assert own(again) == returned.names("always", "success", WITH_STATE)
    assert not again["changed"]
    assert machine.run(main, state="absent")["changed"]
    assert not machine.run(main, state="absent", check_mode=True)["changed"]


def test_check_mode_changes_nothing(machine: Machine) -> None:
    before = machine.alpine.snapshot()
    assert machine.run(main, state="present", check_mode=True)["changed"]
    assert machine.alpine.snapshot() == before


def test_failure_is_the_documented_one(machine: Machine, returned: Documented, own: Own) -> None:
    machine.alpine.write("/boot/initramfs-virt", fakes.initramfs(fakes.OLD_RELEASE))
    result = machine.run(main, state="present")
    assert result["failed"]
    assert own(result) == returned.names("always", "failure")
    assert [each["code"] for each in result["reasons"]] == ["initramfs_mismatch"]


def test_options_that_do_not_fit_are_told(machine: Machine) -> None:
    result = machine.run(main, keep=0)
    assert result["failed"]
    assert "keep is 0 and must be between 1 and 9" in result["msg"]

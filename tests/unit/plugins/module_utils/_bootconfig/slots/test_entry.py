# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of slots, and what an entry hands to its kernel."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    WantedSlots,
)
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import ONE, THREE, TWO, slot

SUM = "0123456789ab"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f"6.18.56-0-virt-{SUM}", True),
        (f"6.19.0_rc1~a+b-0-lts-{SUM}", True),
        (f"a-{SUM}", True),
        (f"-a-{SUM}", False),
        (f"a-{SUM[1:]}", False),
        (f"a-{SUM}0", False),
        (f"a-{SUM.upper()}", False),
        (f"{'a' * 82}-{SUM}", False),
        (f"a..b-{SUM}", False),
        (f"a/b-{SUM}", False),
        (f"a-{SUM}\n", False),
        (f"\u00e4-{SUM}", False),
        ("", False),
    ],
)
def test_name_of_a_slot(text: str, good: bool) -> None:
    assert entry.is_id(text) is good
    assert entry.id_of(entry.label_of(text)) == (text if good else None)


@pytest.mark.parametrize("label", ["virt", "alpinefleet-kexec", f"x-{SUM}"])
def test_label_of_somebody_else(label: str) -> None:
    assert entry.id_of(label) is None


def test_each_way_to_speak_of_a_slot_is_found() -> None:
    text = f"LABEL alpinefleet-kexec-{ONE}\nX /alpinefleet-kexec/{TWO}/linux"
    assert entry.named_in(text) == {ONE, TWO}
    assert entry.named_in(f"quiet alpinefleet_kexec.slot={THREE}") == {THREE}
    assert entry.named_in(f"default=alpinefleet-kexec\n{ONE}") == frozenset()


@pytest.mark.parametrize(
    ("cmdline", "expected"),
    [
        ("quiet", f"quiet alpinefleet_kexec.slot={ONE}"),
        ("", f"alpinefleet_kexec.slot={ONE}"),
        ("quiet -- single", f"quiet alpinefleet_kexec.slot={ONE} -- single"),
        (f"alpinefleet_kexec.slot={TWO} a", f"a alpinefleet_kexec.slot={ONE}"),
        ("BOOT_IMAGE=x a initrd=y", f"a alpinefleet_kexec.slot={ONE}"),
    ],
)
def test_kernel_is_told_its_slot(cmdline: str, expected: str) -> None:
    assert slot(ONE, cmdline=cmdline).boots_with == expected


def test_default_comes_first() -> None:
    wanted = WantedSlots((slot(ONE), slot(TWO), slot(THREE)), TWO)
    assert [each.id for each in wanted.ordered] == [TWO, ONE, THREE]
    assert wanted.first == slot(TWO)
    assert WantedSlots().first is None

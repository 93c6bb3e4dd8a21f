# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where slots are: what a kernel's place tells, and where its modules are."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import slot_places
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

A = slots.slot().id
KERNEL = f"/boot/alpinefleet-kexec/{A}/linux"
TREE = f"/lib/modules/{fakes.RELEASE}"


@pytest.mark.parametrize(
    ("kernel", "slot", "release"),
    [
        (KERNEL, A, fakes.RELEASE),
        ("/boot/vmlinuz-virt", None, None),
        (f"/boot/alpinefleet-kexec/{A}/initrd", None, None),
        ("/boot/alpinefleet-kexec/good/linux", None, None),
        (f"/mnt{KERNEL}", None, None),
        (f"/boot/alpinefleet-kexec/a/{A}/linux", None, None),
    ],
)
def test_place_of_a_kernel_tells_its_slot(
    kernel: str, slot: str | None, release: str | None
) -> None:
    assert slot_places.slot_of(kernel) == slot
    assert slot_places.release_of(kernel) == release


def test_modules_are_those_that_are_kept(alpine: fakes.FakeHost) -> None:
    assert slot_places.tree_of(alpine.host, KERNEL, fakes.RELEASE) == TREE
    kept = f"/lib/alpinefleet-kexec/{A}"
    alpine.path(kept).mkdir(parents=True)
    assert slot_places.tree_of(alpine.host, KERNEL, fakes.RELEASE) == kept
    assert slot_places.tree_of(alpine.host, "/boot/vmlinuz-virt", fakes.RELEASE) == TREE


def test_park_is_on_the_file_system_of_the_trees(alpine: fakes.FakeHost) -> None:
    assert slot_places.park(alpine.host) == "/lib/alpinefleet-kexec"
    alpine.path("/usr").mkdir(exist_ok=True)
    alpine.path("/lib").rename(alpine.path("/usr/lib"))
    alpine.path("/lib").symlink_to("usr/lib")
    assert slot_places.park(alpine.host) == "/usr/lib/alpinefleet-kexec"

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Menu entries are values: equal by content, and nobody changes one."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    Entry,
    NotUnderstoodError,
)

ENTRY = Entry("virt", "vmlinuz-virt", ("initramfs-virt",), "root=/dev/vda2 quiet")


def test_entries_are_equal_by_content() -> None:
    assert dataclasses.replace(ENTRY) == ENTRY
    assert hash(dataclasses.replace(ENTRY)) == hash(ENTRY)


@pytest.mark.parametrize("field", ["title", "kernel", "initramfs", "cmdline"])
def test_entry_cannot_be_changed(field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(ENTRY, field, "other")


def test_what_was_not_understood_is_the_message() -> None:
    assert str(NotUnderstoodError("it includes another file")) == "it includes another file"

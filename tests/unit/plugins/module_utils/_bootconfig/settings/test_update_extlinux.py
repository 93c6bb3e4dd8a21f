# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/update-extlinux.conf as Alpine installs it."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    update_extlinux,
)

SETTINGS = """\
# configuration for extlinux config builder

# overwrite
# Overwrite current /boot/extlinux.conf.
overwrite=1

# default_kernel_opts
# default kernel options, such as panic=5
default_kernel_opts="quiet rootfstype=ext4 panic_on_oops=1"

modules=sd-mod,usb-storage,ext4
root=UUID=0e5f4a3c
default=lts
timeout=1
"""


def edited(text: str, change: Change) -> str:
    texts = {update_extlinux.SETTINGS: text}
    return edit.edit(texts, update_extlinux.lines, [change], "x86_64")[update_extlinux.SETTINGS]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_edit_touches_one_line_only(end: str) -> None:
    before = SETTINGS.replace("\n", end)
    after = edited(before, Change("panic", "10"))
    assert after == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after, Change("panic", present=False)) == before


def test_edit_of_an_empty_file() -> None:
    assert edited("", Change("panic", "10")) == 'default_kernel_opts="panic=10"\n'
    assert edited("", Change("panic", present=False)) == ""


def test_edit_without_a_final_newline() -> None:
    before = 'default_kernel_opts="quiet"'
    assert edited(before, Change("a")) == 'default_kernel_opts="quiet a"'

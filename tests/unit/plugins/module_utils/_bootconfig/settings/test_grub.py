# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/default/grub, with and without the settings of extlinux that Alpine puts before it."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    grub as grub_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

GRUB, EXTLINUX = grub_module.SETTINGS, "/etc/update-extlinux.conf"
PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)

SETTINGS = """\
GRUB_TIMEOUT=2
GRUB_DISABLE_SUBMENU=y
GRUB_DISABLE_RECOVERY=true
# GRUB_CMDLINE_LINUX_DEFAULT="panic=1"
GRUB_CMDLINE_LINUX_DEFAULT="modules=sd-mod,ext4 quiet rootfstype=ext4"
GRUB_CMDLINE_LINUX_RECOVERY="single panic=2"
"""


def edited(change: Change, grub: str, extlinux: str | None = None) -> dict[str, str]:
    texts = {GRUB: grub} if extlinux is None else {GRUB: grub, EXTLINUX: extlinux}
    return edit.edit(texts, grub_module.lines, [change], "x86_64")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            SETTINGS, SETTINGS.replace("rootfstype=ext4", "rootfstype=ext4 panic=10"), id="Alpine"
        ),
        pytest.param(
            SETTINGS.replace("\n", "\r\n"),
            SETTINGS.replace("rootfstype=ext4", "rootfstype=ext4 panic=10").replace("\n", "\r\n"),
            id="CRLF",
        ),
        pytest.param("", 'GRUB_CMDLINE_LINUX_DEFAULT="panic=10"\n', id="empty"),
        pytest.param(
            'GRUB_CMDLINE_LINUX="a"',
            'GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX_DEFAULT="panic=10"',
            id="no final newline",
        ),
        pytest.param(
            'GRUB_CMDLINE_LINUX="panic=1 b"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
            'GRUB_CMDLINE_LINUX="panic=10 b"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
            id="changed where it stands",
        ),
        pytest.param(
            'GRUB_CMDLINE_LINUX_DEFAULT="panic=3"\nGRUB_CMDLINE_LINUX="panic=1 b"\n',
            'GRUB_CMDLINE_LINUX_DEFAULT="panic=10"\nGRUB_CMDLINE_LINUX="b"\n',
            id="in both, in any order",
        ),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(PANIC, before)[GRUB] == after
    assert edited(PANIC, after)[GRUB] == after


def test_present_changes_what_extlinux_brings() -> None:
    texts = edited(PANIC, SETTINGS, 'default_kernel_opts="panic=1 a"\n')
    assert texts == {GRUB: SETTINGS, EXTLINUX: 'default_kernel_opts="panic=10 a"\n'}


def test_present_goes_into_grubs_own_file() -> None:
    texts = edited(PANIC, SETTINGS, 'default_kernel_opts="a"\n')
    assert texts[EXTLINUX] == 'default_kernel_opts="a"\n'
    assert "rootfstype=ext4 panic=10" in texts[GRUB]


def test_absent_removes_it_in_all_places() -> None:
    grub = 'GRUB_CMDLINE_LINUX="panic=1"\nGRUB_CMDLINE_LINUX_DEFAULT="a panic=2"\n'
    assert edited(NO_PANIC, grub, "default_kernel_opts='panic panic_on_oops'\n") == {
        GRUB: 'GRUB_CMDLINE_LINUX=""\nGRUB_CMDLINE_LINUX_DEFAULT="a"\n',
        EXTLINUX: "default_kernel_opts='panic_on_oops'\n",
    }


def test_absent_in_an_empty_file() -> None:
    assert edited(NO_PANIC, "", "") == {GRUB: "", EXTLINUX: ""}


def test_recovery_entries_are_left_alone() -> None:
    text = 'GRUB_CMDLINE_LINUX_RECOVERY="$GRUB_CMDLINE_LINUX_DEFAULT single"\n' + SETTINGS
    assert "RECOVERY" in edited(PANIC, text)[GRUB].splitlines()[0]


@pytest.mark.parametrize(
    "text",
    [
        'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT x"\n',
        'GRUB_CMDLINE_LINUX_DEFAULT="a"\nGRUB_CMDLINE_LINUX_DEFAULT+=" b"\n',
        'GRUB_CMDLINE_LINUX=`cat /etc/x`\nGRUB_CMDLINE_LINUX_DEFAULT="a"\n',
    ],
)
def test_programs_are_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(PANIC, text)


@given(st.lists(st.sampled_from(["a", "b=1", "panic_on_oops=1", '\\"x\\"', "--"]), max_size=6))
def test_present_then_absent_restores_the_file(words: list[str]) -> None:
    before = f'# panic\nGRUB_CMDLINE_LINUX_DEFAULT="{" ".join(words)}"'
    after = edited(PANIC, before)[GRUB]
    assert after != before
    assert edited(NO_PANIC, after)[GRUB] == before

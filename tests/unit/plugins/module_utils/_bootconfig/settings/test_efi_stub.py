# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""startup.nsh, in which the EFI shell starts the kernel."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    efi_stub,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)

LINE = "vmlinuz-virt initrd=initramfs-virt root=LABEL=root modules=ext4 quiet panic_on_oops=1"


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, efi_stub.lines, [change], "x86_64")["f"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"{LINE}\n", f"{LINE} panic=10\n", id="plain"),
        pytest.param(LINE, f"{LINE} panic=10", id="no final newline"),
        pytest.param(f"{LINE}\r\n", f"{LINE} panic=10\r\n", id="CRLF"),
        pytest.param(
            f"@echo -off\n# x panic=1\nfs0:\n cd \\EFI\n\\{LINE}\n",
            f"@echo -off\n# x panic=1\nfs0:\n cd \\EFI\n\\{LINE} panic=10\n",
            id="other commands",
        ),
        pytest.param("vmlinuz", "vmlinuz panic=10", id="kernel alone"),
        pytest.param("vmlinuz \n", "vmlinuz panic=10\n", id="kernel and a space"),
        pytest.param('vmlinuz "d=a > b # c"', 'vmlinuz "d=a > b # c" panic=10', id="in quotes"),
        pytest.param(
            'k\\bzImage.efi d="x panic=1" panic panic=2\n',
            'k\\bzImage.efi d="x panic=1" panic=10\n',
            id="quotes and duplicates",
        ),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


def test_absent_leaves_the_kernel_alone() -> None:
    assert edited("vmlinuz vmlinuz=1 a\n", Change("vmlinuz", present=False)) == "vmlinuz a\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(f"{LINE}\n{LINE}\n", id="two kernels"),
        pytest.param("if exist fs0:\\vmlinuz then\nvmlinuz a\nendif\n", id="condition"),
        pytest.param("EFI\\BOOT\\grubx64.efi\n", id="another boot loader"),
        pytest.param("LABEL a\nLINUX vmlinuz\n", id="extlinux's"),
        pytest.param("a=vmlinuz b\n", id="kernel as a value"),
        pytest.param(f"{LINE} # panic=5 was too short\n", id="remark"),
        pytest.param(f"{LINE} # panic=10\n", id="remark that holds it"),
        pytest.param(f"{LINE}# remark\n", id="remark without a space"),
        pytest.param(f"{LINE} > log.txt\n", id="output to a file"),
        pytest.param(f"{LINE} | more\n", id="output to a command"),
        pytest.param(f"{LINE} %more%\n", id="variable"),
        pytest.param(f"{LINE} a^\n", id="escape"),
        pytest.param('vmlinuz "a b" > "c d"\n', id="output between quotes"),
        pytest.param("\ufeffv\0m\0l\0i\0n\0u\0z\0", id="UTF-16"),
    ],
)
def test_what_starts_no_single_kernel_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text)


@given(st.text(" \tab=-", max_size=20), st.sampled_from(["", "\n", "\r\n"]))
def test_present_then_absent_restores_the_file(line: str, end: str) -> None:
    before = f"vmlinuz-virt {line}{end}"
    after = edited(before)
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before

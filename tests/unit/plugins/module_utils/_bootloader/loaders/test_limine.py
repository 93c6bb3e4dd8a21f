# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""limine.conf as setup-disk writes it, and by hand: what it boots."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    Entry,
    NotUnderstoodError,
    StartsNoLinuxError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loaders import (
    limine,
)
from hypothesis import given
from hypothesis import strategies as st

MENU = """\
timeout: 3
# kernel_cmdline: panic=1

/Alpine Linux lts
    protocol: linux
    path: boot():/vmlinuz-lts
    kernel_cmdline: root=UUID=1 quiet panic_on_oops=1
    module_path: boot():/initramfs-lts
"""

LTS = Entry(
    "Alpine Linux lts", "/vmlinuz-lts", ("/initramfs-lts",), "root=UUID=1 quiet panic_on_oops=1"
)
AB = "/a\nprotocol: linux\npath: boot():/a\n/b\nprotocol: linux\npath: boot():/b\n"
TREE = """\
/+Alpine
//lts
  protocol: linux
  path: boot():/lts
//More
///virt
    protocol: linux
    path: boot():/virt
/Last
  protocol: linux
  path: boot():/last
"""

DEFAULTS: dict[str, tuple[str, str]] = {
    "the first one": (AB, "a"),
    "a number": (f"default_entry: 2\n{AB}", "b"),
    "another spelling": (f"  DEFAULT_Entry:2  \n{AB}", "b"),
    "the first of two": (f"default_entry: 2\ndefault_entry: 1\n{AB}", "b"),
    "an option that is in no common place": (f"{AB}default_entry: 2\n", "a"),
    "a title": (f"default_entry: b\n{AB}", "b"),
    "in a directory that is shown": (f"default_entry: 2\n{TREE}", "lts"),
    "behind a directory that is not": (f"default_entry: 4\n{TREE}", "Last"),
    "a path": (f"default_entry: Alpine/lts\n{TREE}", "lts"),
    "a path into what is not shown": (f"default_entry: Alpine/More/virt\n{TREE}", "virt"),
    "a remark": (f"# default_entry: 2\n{AB}", "a"),
}
CMDLINES: dict[str, tuple[str, str]] = {
    "none": ("path: boot():/k\n", ""),
    "the short name": ("path: boot():/k\ncmdline: a  b\n", "a  b"),
    "the long names": ("kernel_path: boot():/k\nkernel_cmdline: a\n", "a"),
    "spaces behind": ("path: boot():/k \t\ncmdline: a \t\r\n", "a"),
    "the first kernel": ("path: boot():/k\npath: boot():/j\ncmdline: a\n", "a"),
    "a sum of the kernel": ("path: boot():/k#ca6914d2\ncmdline: a\n", "a"),
    "a letter that is no space": ("path: boot():/k\ncmdline: a\xa0b\n", "a\xa0b"),
}
NOT_UNDERSTOOD: dict[str, tuple[str, str]] = {
    "nothing": ("", "it has no entry '1'"),
    "what was booted last": (f"remember_last_entry: yes\n{AB}", "it boots what was booted last"),
    "a number too high": (f"default_entry: 3\n{AB}", "it has no entry '3'"),
    "no number from one on": (f"default_entry: 0\n{AB}", "it has no entry '0'"),
    "another digit": (f"default_entry: \u00b2\n{AB}", "it has no entry '\u00b2'"),
    "a title that is not there": (f"default_entry: c\n{AB}", "it has no entry 'c'"),
    "the second of one name": (f"default_entry: a#1\n{AB}", "its default entry is 'a#1'"),
    "a directory": (TREE, "its entry 'Alpine' is a directory"),
    "an entry for one firmware": (
        f"/x\nif_fw_type: uefi\n{AB}",
        "it has entries that are not always there",
    ),
    "an EFI program": (
        "/a\nprotocol: efi\npath: boot():/x.efi\n",
        "its entry 'a' starts an EFI program",
    ),
    "no kernel": ("/a\nprotocol: linux\n", "its entry 'a' names no kernel"),
    "another partition": (
        "/a\nprotocol: linux\npath: boot(2):/k\n",
        "'boot(2):/k' may be on another partition",
    ),
    "an initramfs of another partition": (
        "/a\nprotocol: linux\npath: boot():/k\nmodule_path: uuid(1):/i\n",
        "'uuid(1):/i' may be on another partition",
    ),
    "a macro in the kernel": (
        "/a\nprotocol: linux\npath: boot():/${K}\n",
        "'boot():/${K}' may be on another partition",
    ),
    "a number without end": (
        f"default_entry: {'1' * 5000}\n{AB}",
        f"it has no entry '{'1' * 5000}'",
    ),
    "a macro for a name": (
        f"${{N}}=default_entry\n${{N}}: 2\n{AB}",
        "the name of an option is a macro",
    ),
    "a macro": (
        "/a\nprotocol: linux\npath: boot():/k\ncmdline: ${C}\n",
        "a command line has a macro: '${C}'",
    ),
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_default_entry(end: str) -> None:
    assert limine.default_entry(MENU.replace("\n", end)) == LTS


@pytest.mark.parametrize(("text", "title"), DEFAULTS.values(), ids=DEFAULTS)
def test_default_entry_is(text: str, title: str) -> None:
    assert limine.default_entry(text).title == title


@pytest.mark.parametrize(("options", "cmdline"), CMDLINES.values(), ids=CMDLINES)
def test_command_line(options: str, cmdline: str) -> None:
    text = f"/a\nprotocol: linux\n{options}"
    assert limine.default_entry(text) == Entry("a", "/k", (), cmdline)


def test_several_files_of_an_initramfs() -> None:
    modules = "module_path: boot():/ucode\nmodule_path: boot():/i\n"
    text = f"/a\nprotocol: linux\npath: boot():/k\n{modules}"
    assert limine.default_entry(text).initramfs == ("/ucode", "/i")


@pytest.mark.parametrize(("text", "why"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_default_entry_is_not_understood(text: str, why: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        limine.default_entry(text)
    assert str(caught.value) == why


@pytest.mark.parametrize("protocol", ["multiboot2", "limine", "bios", ""])
def test_default_that_starts_no_linux(protocol: str) -> None:
    with pytest.raises(StartsNoLinuxError, match="has the protocol"):
        limine.default_entry(f"/xen\nprotocol: {protocol}\npath: boot():/xen\n")


@given(st.text(st.sampled_from("/+ab:\n ${}#12")))
def test_any_text_is_an_entry_or_not_understood(text: str) -> None:
    with contextlib.suppress(NotUnderstoodError):
        assert limine.default_entry(text).kernel is not None

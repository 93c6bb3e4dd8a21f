# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""limine.conf as setup-disk writes it, and by hand: what it boots, and what is edited in it."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.entry import (
    Entry,
    NotUnderstoodError,
    StartsNoLinuxError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loaders import (
    limine,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, limine.lines, [change], "x86_64")["f"]


MENU = """\
timeout: 3
# kernel_cmdline: panic=1

/Alpine Linux lts
    protocol: linux
    path: boot():/vmlinuz-lts
    kernel_cmdline: root=UUID=1 quiet panic_on_oops=1
    module_path: boot():/initramfs-lts
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_edit(end: str, last: bool) -> None:
    before = MENU.replace("\n", end)
    before = before if last else before.removesuffix(end)
    after = edited(before)
    assert after == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "/a\nPROTOCOL: linux\nCmdline:panic=1\n",
            "/a\nPROTOCOL: linux\nCmdline:panic=10\n",
            id="short name in any case",
        ),
        pytest.param(
            "/a\n  protocol: linux\n  path: k\n/b\n",
            "/a\n  protocol: linux\n  path: k\n  cmdline: panic=10\n/b\n",
            id="none yet",
        ),
        pytest.param(
            "/a\n  protocol: efi\n  cmdline: x\n/b\n  protocol: linux\n  cmdline:\n",
            "/a\n  protocol: efi\n  cmdline: x\n/b\n  protocol: linux\n  cmdline:panic=10\n",
            id="another protocol",
        ),
        pytest.param(
            "/+a\n//b\n  protocol: linux\n  cmdline: a\n",
            "/+a\n//b\n  protocol: linux\n  cmdline: a panic=10\n",
            id="directory",
        ),
        pytest.param(
            '/a\nprotocol: linux\ncmdline: d="x panic=1" panic=1 panic=2\n',
            '/a\nprotocol: linux\ncmdline: d="x panic=1" panic=10\n',
            id="quotes and duplicates",
        ),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


def test_edit_of_ten_entries() -> None:
    rows = [f"/l{n}\n  protocol: linux\n  cmdline: n={n}\n" for n in range(10)]
    after = edited("".join(rows))
    assert after == "".join(row.replace(f"n={n}", f"n={n} panic=10") for n, row in enumerate(rows))
    assert edited(after, NO_PANIC) == "".join(rows)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("LABEL a\nLINUX k\nAPPEND x\n", id="extlinux's"),
        pytest.param(":a\nPROTOCOL=linux\nCMDLINE=x\n", id="before version 8"),
        pytest.param("/a\nprotocol: linux\ncmdline: ${ROOT}\n", id="macro"),
        pytest.param("/a\nprotocol: linux\ncmdline: a\nkernel_cmdline: b\n", id="two"),
    ],
)
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text)


@given(st.lists(st.sampled_from(["a", "b=1", "panic_x", '"x y"', "--"]), min_size=1, max_size=6))
def test_present_then_absent_restores_the_file(words: list[str]) -> None:
    before = MENU.replace("root=UUID=1 quiet", "  ".join(words))
    after = edited(before)
    assert after != before
    assert edited(after, NO_PANIC) == before


# --- What boots ----------------------------------------------------------------------------

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

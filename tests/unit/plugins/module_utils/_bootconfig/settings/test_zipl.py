# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/zipl.conf as setup-disk writes it, and with each kind of quotes."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import zipl
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, zipl.lines, [change], "s390x")["f"]


SETTINGS = """\
[defaultboot]
defaultauto
prompt=1
timeout=5
default=linux
target=/boot
# parameters="panic=1"
[linux]
target=/boot
image=/boot/vmlinuz
ramdisk=/boot/initramfs
parameters="root=UUID=1 panic_on_oops=1"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_edit(end: str, last: bool) -> None:
    before = SETTINGS.replace("\n", end)
    before = before if last else before.removesuffix(end)
    after = edited(before)
    assert after == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param("'a'", PANIC, "'a panic=10'", id="single"),
        pytest.param("a", PANIC, '"a panic=10"', id="bare gets quotes"),
        pytest.param("panic=1", PANIC, "panic=10", id="bare needs none"),
        pytest.param("a b", PANIC, '"a b panic=10"', id="bare with spaces"),
        pytest.param('"a" # panic=1', PANIC, '"a panic=10" # panic=1', id="comment behind"),
        pytest.param("'d=\"x panic=1\"'", PANIC, "'d=\"x panic=1\" panic=10'", id="inside"),
        pytest.param("'a'", Change("d", "x y"), "'a d=\"x y\"'", id="new quotes"),
        pytest.param("a", Change("d", "x y"), "'a d=\"x y\"'", id="quotes around new quotes"),
        pytest.param('"panic=1 a panic=2"', PANIC, '"a panic=10"', id="duplicates"),
        pytest.param('""', PANIC, '"panic=10"', id="empty"),
    ],
)
def test_present(before: str, change: Change, after: str) -> None:
    settings = "[a]\nimage=/k\n\tparameters = {}\n[b]\nimage=/k\nparameters='b'\n"
    wanted = settings.format(after).replace("'b'", f"'b {change.word}'")
    assert edited(settings.format(before), change) == wanted
    assert edited(wanted, change) == wanted


def test_section_without_parameters_gets_them() -> None:
    assert edited("[a]\n\timage=/k\n\ttarget=/boot\n") == (
        "[a]\n\timage=/k\n\tparameters=panic=10\n\ttarget=/boot\n"
    )


def test_edit_of_ten_sections() -> None:
    before = "".join(f'[l{n}]\nimage=/k\nparameters="n={n}"\n' for n in range(10))
    after = "".join(f'[l{n}]\nimage=/k\nparameters="n={n} panic=10"\n' for n in range(10))
    assert edited(before + ":menu\ndefault=1\n1=l1\n") == after + ":menu\ndefault=1\n1=l1\n"


@pytest.mark.parametrize(
    ("text", "change"),
    [
        pytest.param("", PANIC, id="empty"),
        pytest.param("GRUB_CMDLINE_LINUX='a'\n", PANIC, id="GRUB's"),
        pytest.param("[a]\nimage=/k\nparmfile=/p\n", PANIC, id="another file"),
        pytest.param('[a]\nimage=/k\nparameters="a\n', PANIC, id="open quote"),
        pytest.param('[a]\nimage=/k\nparameters="a" b\n', PANIC, id="more behind"),
        pytest.param("[a]\nimage=/k\nparameters=a'b\n", PANIC, id="quote inside"),
        pytest.param(
            '[a]\nimage=/k\nparameters="a"\n', Change("d", "x y"), id="no room for quotes"
        ),
    ],
)
def test_what_is_not_plain_is_refused(text: str, change: Change) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text, change)


@given(st.text(" ab=-", max_size=20), st.sampled_from("\"'"))
def test_present_then_absent_restores_the_file(line: str, quote: str) -> None:
    before = f"[a]\nimage=/k\nparameters={quote}{line}{quote}"
    after = edited(before)
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before


def test_maps_are_where_the_sections_say() -> None:
    text = "[a]\ntarget = /boot\n[b]\ntarget='/boot'\nimage=/x\n[c]\n\ttarget=\"/boot/c\"\n#target=/d\n"
    assert zipl.maps(text) == ("/boot/bootmap", "/boot/c/bootmap")
    assert zipl.maps("[a]\nimage=/x\n") == ()

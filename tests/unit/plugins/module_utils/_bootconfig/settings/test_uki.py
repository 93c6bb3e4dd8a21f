# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of unified kernel images, in the settings or in a file of its own."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import uki
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)

CONF, FILE = uki.SETTINGS, "/etc/kernel/cmdline"
SETTINGS = """\
# Kernel command line; panic=1 is an example.
cmdline="root=UUID=1 modules=ext4 panic_on_oops=1"
signing_disabled=yes
output_dir="/boot/EFI/Linux"
output_name="alpine-linux-{flavor}.efi"
"""


def edited(texts: dict[str, str], change: Change = PANIC) -> dict[str, str]:
    return edit.edit(texts, uki.lines, [change], "x86_64")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_edit_of_the_settings(end: str, last: bool) -> None:
    before = SETTINGS.replace("\n", end)
    before = before if last else before.removesuffix(end)
    after = edited({CONF: before})
    assert after[CONF] == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after) == after
    assert edited(after, NO_PANIC)[CONF] == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a quiet\n", "a quiet panic=10\n", id="one line"),
        pytest.param("a quiet", "a quiet panic=10", id="no final newline"),
        pytest.param("# panic=1\r\na\r\nb\r\n", "# panic=1\r\na\r\nb panic=10\r\n", id="CRLF"),
        pytest.param("panic=1\na panic=2\n", "\na panic=10\n", id="duplicates"),
        pytest.param("panic=1\na\n# end\n", "panic=10\na\n# end\n", id="first line"),
        pytest.param('d="x panic=1"\n', 'd="x panic=1" panic=10\n', id="quotes"),
        pytest.param("", "panic=10\n", id="empty"),
        pytest.param("# none", "# none\npanic=10\n", id="comment only"),
    ],
)
def test_edit_of_a_file_of_its_own(before: str, after: str) -> None:
    settings = f"cmdline={FILE}\n"
    assert edited({CONF: settings, FILE: before}) == {CONF: settings, FILE: after}
    assert edited({CONF: settings, FILE: after}) == {CONF: settings, FILE: after}


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        pytest.param('cmdline="root=/dev/vda1"', None, id="text"),
        pytest.param('cmdline="/etc/kernel/cmdline"', FILE, id="path in quotes"),
        pytest.param("cmdline='/etc/x'", "/etc/x", id="path in single quotes"),
    ],
)
def test_file_of(setting: str, path: str | None) -> None:
    assert uki.file_of(setting) == path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("#cmdline=a\n", id="comment only"),
        pytest.param("cmdline=\n", id="inactive"),
        pytest.param('cmdline=" "\n', id="white space only"),
        pytest.param('cmdline="$(cat /proc/cmdline)"\n', id="command"),
        pytest.param("cmdline=./x\n", id="relative path"),
        pytest.param('cmdline="/etc/x y"\n', id="path and more"),
        pytest.param('cmdline="/etc/{flavor}"\n', id="a path for each flavour"),
        pytest.param("cmdline=/etc/x\n", id="file is missing"),
    ],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited({CONF: text})


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param({CONF: 'cmdline="panic=1"\n'}, id="settings"),
        pytest.param({CONF: "cmdline=panic=1\n"}, id="without quotes"),
        pytest.param({CONF: f"cmdline={FILE}\n", FILE: "# one\npanic=1\n"}, id="file"),
        pytest.param({CONF: f"cmdline={FILE}\n", FILE: "panic=1\npanic=2\n"}, id="two lines"),
    ],
)
def test_last_parameter_stays(texts: dict[str, str]) -> None:
    with pytest.raises(ReasonError, match="it is the last one") as caught:
        edited(texts, NO_PANIC)
    assert caught.value.reason.code == "parameter_invalid"


@given(
    st.lists(st.sampled_from(["# panic", "a", "b  c ", "panic_x=1", "", "-- x"]), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)
def test_present_then_absent_restores_the_file(rows: list[str], end: str) -> None:
    before = end.join(["q", *rows])
    after = edited({CONF: f"cmdline={FILE}\n", FILE: before})
    assert edited(after) == after
    assert edited(after, NO_PANIC)[FILE] == before

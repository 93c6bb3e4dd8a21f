# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cmdline.txt as it is edited: one line, whatever surrounds it."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    raspberrypi,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, raspberrypi.lines, [change], "aarch64")["f"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("a quiet\n", "a quiet panic=10\n", id="plain"),
        pytest.param("a quiet", "a quiet panic=10", id="no final newline"),
        pytest.param("a quiet\r\n", "a quiet panic=10\r\n", id="CRLF"),
        pytest.param("", "panic=10", id="empty"),
        pytest.param("\n", "panic=10\n", id="empty line"),
        pytest.param("a panic=1 panic_x=1 panic\n\n", "a panic_x=1 panic=10\n\n", id="duplicates"),
        pytest.param('d="a panic=1"\n', 'd="a panic=1" panic=10\n', id="quotes"),
        pytest.param("# panic=1\n", "# panic=10\n", id="no comments there"),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("LABEL a\nLINUX k\n", id="extlinux's"),
        pytest.param('a="b\n', id="open quote"),
    ],
)
def test_what_is_no_single_line_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text)


@given(st.text(' \tab=-"', max_size=20), st.sampled_from(["", "\n", "\r\n", "\n\n"]))
def test_present_then_absent_restores_the_file(line: str, end: str) -> None:
    before = line + end
    try:
        after = edited(before)
    except NotUnderstoodError:
        return
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before

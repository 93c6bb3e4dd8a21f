# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cells are one line each, and none of them can do anything to a terminal."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._text import table


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a  b", "a b", id="spaces"),
        pytest.param("a\nb\r\tc", "a b c", id="lines"),
        pytest.param("\x1b[31mred\x07\x7f\x9b0m", "[31mred 0m", id="sequences"),
        pytest.param("a\u202eb\u2028c\ud800", "a b c", id="direction, line, half a character"),
        pytest.param("Grüße", "Grüße", id="letters"),
        pytest.param("a" * 20, "a" * 20, id="fits"),
        pytest.param("a" * 21, "a" * 17 + "...", id="cut"),
        pytest.param("", "", id="nothing"),
        pytest.param("\n" * 10**6 + "a", "", id="huge"),
    ],
)
def test_text_is_one_line_that_is_cut(text: str, line: str) -> None:
    assert table.one_line(text, 20) == line


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table.aligned([("A", "B", "C"), ("long", "", "x\ny"), ("s", "b", "")]) == [
        "A     B  C",
        "long     x y",
        "s     b",
    ]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a text ends its lines and where one of them begins, so that a new line looks like the others."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    text as text_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import BLANK
from hypothesis import given
from hypothesis import strategies as st

BREAKS: dict[str, tuple[str, str]] = {
    "nothing": ("", "\n"),
    "one line without an end": ("a", "\n"),
    "line feeds": ("a\nb\n", "\n"),
    "carriage returns and line feeds": ("a\r\nb\r\n", "\r\n"),
    "the last line has no end": ("a\r\nb", "\r\n"),
    "both": ("a\nb\r\nc\n", "\r\n"),
    "a carriage return alone": ("a\rb", "\n"),
    "the other way round": ("a\n\rb", "\n"),
}

# The text has a mark where the word begins.
INDENTS: dict[str, tuple[str, str]] = {
    "the first line": ("|a", ""),
    "the first line, indented": ("  |a", "  "),
    "a later line": ("a\n\t|b\n", "\t"),
    "a later line at its start": ("\t\ta\n|b", ""),
    "spaces and tabs": ("a\n \t |b", " \t "),
    "carriage returns before it": ("a\r\n  |b\r\n", "  "),
    "an empty line before it": ("  a\n\n|b", ""),
    "a word before it": ("a\n  key |b", "  "),
    "spaces behind a word": ("a\n  key: |b", "  "),
    "in the middle of a word": ("  wo|rd", "  "),
    "the end of the text": ("a\n  |", "  "),
    "nothing": ("|", ""),
    "a sign that only boot loaders take for a space": ("a\n\x01|b", "\x01"),
    "a space that is one to Python only": ("a\n\u00a0b|", ""),
}


@pytest.mark.parametrize(("text", "expected"), BREAKS.values(), ids=BREAKS)
def test_line_break(text: str, expected: str) -> None:
    assert text_module.line_break(text) == expected


@pytest.mark.parametrize(("marked", "expected"), INDENTS.values(), ids=INDENTS)
def test_indent(marked: str, expected: str) -> None:
    at = marked.index("|")
    assert text_module.indent(marked.replace("|", ""), at) == expected


@given(st.text(alphabet="a \t\n\r"), st.integers(min_value=0, max_value=20))
def test_indent_is_the_blank_start_of_one_line(text: str, at: int) -> None:
    found = text_module.indent(text, at)
    assert set(found) <= set(BLANK) - {"\n"}
    assert found == "" or any(line.startswith(found) for line in text.split("\n"))


@given(st.text(alphabet="a='\"\\ \t\n"))
def test_plain_writes_what_it_read(raw: str) -> None:
    cells = text_module.PLAIN.read(raw)
    assert "".join(char for char, _written in cells) == raw
    assert "".join(written for _char, written in cells) == raw
    assert text_module.PLAIN.write(raw) == text_module.PLAIN.finish(raw) == raw

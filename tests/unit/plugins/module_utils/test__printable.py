# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is in a result can be sent and shown, and what can be shown stays as it is."""

from __future__ import annotations

import json

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._printable import printable
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("vmlinuz-virt", "vmlinuz-virt", id="plain"),
        pytest.param(
            "Größe\u00a0\U0001f427 \n\t\r\n", "Größe\u00a0\U0001f427 \n\t\r\n", id="letters"
        ),
        pytest.param("a\udcffb", "a\\xffb", id="a byte that is no letter"),
        pytest.param("a\ud800", "a\\ud800", id="half a letter"),
        pytest.param("\x1b]0;title\x07", "\\x1b]0;title\\x07", id="an order to a terminal"),
        pytest.param("\x9b2J\x7f\x00", "\\x9b2J\\x7f\\x00", id="controls"),
        pytest.param("kernel\u202egmi", "kernel\\u202egmi", id="another direction"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_reaches_everything() -> None:
    value = {"a\x1b": [("b\x1b", 1, None), {"c": "\x1b"}], "d": True, "e": 1.5}
    assert printable(value) == {
        "a\\x1b": [["b\\x1b", 1, None], {"c": "\\x1b"}],
        "d": True,
        "e": 1.5,
    }


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text: str) -> None:
    shown = printable(text)
    assert json.loads(json.dumps(shown, ensure_ascii=False).encode()) == shown
    assert printable(shown) == shown

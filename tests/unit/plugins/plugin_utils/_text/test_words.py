# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words by which tasks and commands have failed, from whoever printed them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._text import words

RED = "\x1b[31mno space\x1b[0m"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([" ", "\t"], "", id="blank"),
        pytest.param(["first", "last", " "], "last", id="the last one with something in it"),
        pytest.param([RED], "[31mno space [0m", id="what a terminal obeys"),
        pytest.param(["x" * 300], "x" * 197 + "...", id="long"),
    ],
)
def test_last_line_can_be_shown(lines: list[str], expected: str) -> None:
    assert words.last_line(lines) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"stdout": "a\nb\n"}, "b", id="output"),
        pytest.param({"stdout": "a\n", "stderr": "c\nd"}, "d", id="errors come first"),
        pytest.param({"stdout": "a\n", "stderr": " \n"}, "a", id="blank errors"),
        pytest.param({"stdout": ["a"], "stderr": 7}, "", id="no texts"),
        pytest.param(
            {"module_stderr": "x" * 10**6 + "\nOSError: full"}, "OSError: full", id="huge"
        ),
    ],
)
def test_last_line_that_was_printed(result: dict[str, t.Any], expected: str) -> None:
    assert words.printed(result) == expected


ITEMS = [{"msg": "well"}, {"failed": True, "msg": "no space"}, {"failed": True, "msg": "again"}]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"msg": "It is broken."}, "It is broken.", id="a message"),
        pytest.param({"msg": None, "stderr": "no space"}, "no space", id="output alone"),
        pytest.param(
            {"msg": "non-zero return code", "rc": 1, "stdout": "checking\nno space\n"},
            "non-zero return code: no space",
            id="a command",
        ),
        pytest.param(
            {"msg": "It said: no space", "stderr": "no space"}, "It said: no space", id="said twice"
        ),
        pytest.param({"msg": "All items failed", "results": ITEMS}, "no space", id="an item"),
        pytest.param({"msg": "x", "results": [7, {"msg": "well"}]}, "x", id="no item that failed"),
        pytest.param({"msg": "x", "results": "said"}, "x", id="no items"),
    ],
)
def test_failure_is_told_in_the_words_of_what_failed(
    result: dict[str, t.Any], expected: str
) -> None:
    assert words.of_failure(result) == expected

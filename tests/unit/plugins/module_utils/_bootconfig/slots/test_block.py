# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The block of ours in settings: told from what others wrote, whatever became of it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import block
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError

PATH = "/etc/x.conf"
BODY = ["a=1", "b=2"]
OWN = (re.compile("a=[0-9]"), re.compile("b=2"))
BEGIN, END = f"{block.BEGIN}\n", f"{block.END}\n"
WHOLE = f"{BEGIN}a=1\nb=2\n{END}"


@pytest.mark.parametrize("text", [None, "", "x", "x\n", "x\n\n", "x\r\n", "\n", "x\n# c", "b=2\n"])
def test_block_comes_and_goes(text: str | None) -> None:
    written = block.with_lines(PATH, text, BODY, OWN)
    assert written.endswith(f"a=1\nb=2\n{END}")
    assert written.startswith(text or "")
    assert block.with_lines(PATH, written, BODY, OWN) == written
    assert block.is_written(PATH, written, BODY, OWN)
    assert not block.is_written(PATH, written, ["a=2", "b=2"], OWN)
    assert block.lines_in(PATH, written, OWN) == BODY
    assert block.without(PATH, written, OWN) == text


def test_block_that_holds_nothing_else_is_told_from_one_that_does() -> None:
    block.check(PATH, f"own=1\n{WHOLE}own=2\n", OWN)
    with pytest.raises(ReasonError, match="Whose line 'own=3' of") as caught:
        block.check(PATH, f"{BEGIN}a=1\n own=3\nb=2\n{END}", OWN)
    assert caught.value.reason.code == "slots_edited"


def test_menu_is_given_back_with_the_lines_that_were_kept() -> None:
    kept = f"{block.KEPT}  default a\r\n"
    assert block.given_back(PATH, f"{kept}x\n{WHOLE}y") == "  default a\r\nx\ny"


def test_line_of_somebody_behind_it_keeps_its_beginning() -> None:
    written = block.with_lines(PATH, "x", BODY, OWN) + "y\n"
    assert block.without(PATH, written, OWN) == "x\ny\n"
    assert not block.is_written(PATH, written, BODY, OWN)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(f"x\n{BEGIN}a=1\nb=2\n", "x\n", id="no end"),
        pytest.param(f"x\n{BEGIN}a=1\nb=2\ny\n", "x\ny\n", id="no end, and more"),
        pytest.param(f"x\n{BEGIN}a=1\nb=2\nb=2\n", "x\nb=2\n", id="no end, and one like ours"),
        pytest.param(f"x\na=1\nb=2\n{END}y\n", "x\ny\n", id="no beginning"),
        pytest.param(f"b=2\na=1\nb=2\n{END}", "b=2\n", id="no beginning, and one like ours"),
        pytest.param(f"x\n{BEGIN}", "x\n", id="a beginning alone"),
        pytest.param(f"x\n{END}", "x\n", id="an end alone"),
        pytest.param(f"{WHOLE}{END}x\n", "x\n", id="two ends"),
        pytest.param(f"{BEGIN}{WHOLE}x\n", "x\n", id="two beginnings"),
        pytest.param(f"{WHOLE}x\n{WHOLE}", "x\n", id="twice"),
        pytest.param(f"{BEGIN}a=1\nx\nb=2\n{END}", "x\n", id="a line of somebody in it"),
        pytest.param(f"{BEGIN}a=7\n{END}", "", id="one line, and another value"),
        pytest.param(f"  {BEGIN}a=1\n{END}x\n", "x\n", id="indented"),
        pytest.param("b=2\na=1\n", "b=2\na=1\n", id="no block"),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert block.without(PATH, text, OWN) == left


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param(f"{BEGIN}a=1\nx\nb=2\n", 4, id="behind a beginning"),
        pytest.param(f"a=1\nx\nb=2\n{END}", 1, id="before an end"),
    ],
)
def test_line_that_may_be_anybodys_is_named(text: str, number: int) -> None:
    with pytest.raises(ReasonError) as caught:
        block.without(PATH, text, OWN)
    assert caught.value.reason.code == "slots_edited"
    assert f"line {number} of {PATH}" in caught.value.reason.message


def test_all_between_the_marks_may_be_ours() -> None:
    text = block.with_lines(PATH, "x\n", ["what", "ever"], None)
    assert block.without(PATH, text, None) == "x\n"
    for mark in (BEGIN, END):
        with pytest.raises(ReasonError, match="line"):
            block.without(PATH, text.replace(mark, ""), None)

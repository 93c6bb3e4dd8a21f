# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words set and removed inside a text, and every other byte left alone."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.text import (
    Line,
    Span,
    Texts,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from hypothesis import assume, given
from hypothesis import strategies as st


def whole(texts: Texts) -> list[Line]:
    """Each text is a part of one command line."""
    return [tuple(Span(path, 0, len(text)) for path, text in texts.items())]


def edited(text: str, *changes: Change, machine: str = "x86_64") -> str:
    return edit.edit({"f": text}, whole, changes, machine)["f"]


def split_with_gaps(text: str) -> list[str] | None:
    """The words as an edit finds them, None if it refuses; together with the gaps they are the text."""
    try:
        words = edit._parse(text, Span("f", 0, len(text)))
    except NotUnderstoodError:
        return None
    assert words.raw() == text
    assert len(words.gaps) == len(words.words) + 1
    assert all(word.raw == word.text for word in words.words)
    return [word.text for word in words.words]


def split_plainly(text: str) -> list[str] | None:
    try:
        return _cmdline.split(text)
    except ReasonError:
        return None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n ", []),
        ("  a \t b\v\f\rc ", ["a", "b", "c"]),
        ('acpi_osi="!Windows 2006" ro', ['acpi_osi="!Windows 2006"', "ro"]),
        ('"dyndbg=file a.c +p" ro', ['"dyndbg=file a.c +p"', "ro"]),
        ('a"b c"d"" e', ['a"b c"d""', "e"]),
        ("a\u2003b\u00a0c", ["a\u2003b\u00a0c"]),
        ('a "b c', None),
        ('"', None),
    ],
)
def test_words_of_an_edit_are_those_of_a_command_line(text: str, words: list[str] | None) -> None:
    assert split_with_gaps(text) == split_plainly(text) == words


@given(st.text(alphabet='ab"= \t\n\u00a0\u2003'))
def test_words_of_any_edit_are_those_of_a_command_line(text: str) -> None:
    assert split_with_gaps(text) == split_plainly(text)


PANIC = Change("panic", "10")
NO_PANIC = Change("panic", present=False)
CONSOLE = Change("console", "ttyS0", multiple=True)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param("", PANIC, "panic=10", id="empty"),
        pytest.param("  ", PANIC, "panic=10  ", id="white space only"),
        pytest.param("quiet", PANIC, "quiet panic=10", id="added"),
        pytest.param("quiet \t", PANIC, "quiet panic=10 \t", id="white space at the end stays"),
        pytest.param("a  panic=10\tb", PANIC, "a  panic=10\tb", id="there already"),
        pytest.param('"panic=10"', PANIC, '"panic=10"', id="there already in quotes"),
        pytest.param("a panic=5 b", PANIC, "a panic=10 b", id="changed in place"),
        pytest.param("panic=1 a panic=2 b", PANIC, "a panic=10 b", id="last one changed"),
        pytest.param("panic=10 a panic=2", PANIC, "a panic=10", id="right one is not the last"),
        pytest.param("panic=2 a panic=10", PANIC, "a panic=10", id="earlier one removed"),
        pytest.param("panic_on_oops=1", PANIC, "panic_on_oops=1 panic=10", id="longer name"),
        pytest.param("panic", PANIC, "panic=10", id="bare name gets a value"),
        pytest.param("panic=10", Change("panic"), "panic", id="value taken away"),
        pytest.param("a=", Change("a", ""), "a=", id="empty value"),
        pytest.param("a", Change("a", ""), "a=", id="empty value is no bare name"),
        pytest.param("a=1 -- panic=5", PANIC, "a=1 panic=10 -- panic=5", id="what init gets"),
        pytest.param("a   -- x", PANIC, "a panic=10   -- x", id="gap before the separator"),
        pytest.param(" -- x", PANIC, " panic=10 -- x", id="only for init"),
        pytest.param("i-d=1", Change("i_d", "2"), "i_d=2", id="dash and underscore"),
        pytest.param("i-d=1", Change("i_d", "1"), "i-d=1", id="dash that may stay"),
        pytest.param("", Change("d", "file a +p"), 'd="file a +p"', id="quotes are added"),
        pytest.param('d="x y" q', Change("d", "x z"), 'd="x z" q', id="quotes inside"),
        pytest.param('d="a panic=5"', PANIC, 'd="a panic=5" panic=10', id="inside a value"),
        pytest.param("console=tty0", CONSOLE, "console=tty0 console=ttyS0", id="another value"),
        pytest.param("console=ttyS0 x", CONSOLE, "console=ttyS0 x", id="one of several"),
        pytest.param(
            "console=ttyS0 console=tty0", CONSOLE, "console=ttyS0 console=tty0", id="order stays"
        ),
        pytest.param("a panic=1 b panic c", NO_PANIC, "a b c", id="all removed"),
        pytest.param("panic=1  b", NO_PANIC, "b", id="first removed"),
        pytest.param("panic", NO_PANIC, "", id="only one removed"),
        pytest.param(" panic  ", NO_PANIC, "   ", id="white space of the only one stays"),
        pytest.param("kexec_load=1", Change("kexec_load_disabled", None, False), "kexec_load=1"),
        pytest.param("a=1 a=2 a", Change("a", "1", False), "a=2 a", id="removed by value"),
        pytest.param("a -- panic=1", NO_PANIC, "a -- panic=1", id="init's own is not removed"),
        pytest.param("caf\udce9 a\udcff=1", PANIC, "caf\udce9 a\udcff=1 panic=10", id="bytes"),
    ],
)
def test_edit(before: str, change: Change, after: str) -> None:
    assert edited(before, change) == after
    assert edited(after, change) == after
    assert change.holds(_cmdline.split(after))


def test_edit_of_several_changes_in_their_order() -> None:
    changes = [Change("b", "1"), Change("a"), CONSOLE, Change("console", "tty0", multiple=True)]
    assert edited("q a=2", *changes) == "q a b=1 console=ttyS0 console=tty0"


@pytest.mark.parametrize(
    ("first", "second", "change", "after"),
    [
        pytest.param("a", "b", PANIC, ("a", "b panic=10"), id="into the last"),
        pytest.param("panic=1", "b", PANIC, ("panic=10", "b"), id="changed in the first"),
        pytest.param("panic=1 a", "panic=2", PANIC, ("a", "panic=10"), id="in both"),
        pytest.param("panic=1 a", "panic=2", NO_PANIC, ("a", ""), id="removed from both"),
        pytest.param("a -- x", "panic=1", PANIC, ("a panic=10 -- x", "panic=1"), id="for init"),
    ],
)
def test_edit_of_a_line_in_two_places(
    first: str, second: str, change: Change, after: tuple[str, str]
) -> None:
    texts = edit.edit({"f": first, "g": second}, whole, [change], "x86_64")
    assert (texts["f"], texts["g"]) == after


def test_edit_writes_what_stands_around_a_first_word_and_for_none() -> None:
    def find(texts: Texts) -> list[Line]:
        text = texts["f"]
        start = text.startswith("[<") + 1
        return [(Span("f", start, len(text) - start, before="<", after=">", nothing="-"),)]

    assert edit.edit({"f": "[-]"}, find, [PANIC], "x86_64")["f"] == "[<panic=10>]"
    assert edit.edit({"f": "[panic=1]"}, find, [NO_PANIC], "x86_64")["f"] == "[-]"
    assert edit.edit({"f": "[-]"}, find, [NO_PANIC], "x86_64")["f"] == "[-]"


def test_edit_refuses_a_text_without_a_command_line() -> None:
    with pytest.raises(NotUnderstoodError, match="no entry"):
        edit.edit({"f": "x"}, lambda _texts: [], [PANIC], "x86_64")


def test_edit_refuses_what_never_settles() -> None:
    """A finder that does not find again what has been written."""

    def find(texts: Texts) -> list[Line]:
        return [(Span("f", len(texts["f"]), len(texts["f"]), before=" "),)]

    with pytest.raises(NotUnderstoodError, match="would have to differ"):
        edit.edit({"f": "x"}, find, [PANIC], "x86_64")


def test_edit_refuses_a_quote_that_is_not_closed() -> None:
    with pytest.raises(NotUnderstoodError, match="not closed"):
        edited('a="b', PANIC)


# --- The length ----------------------------------------------------------------------------


def test_edit_refuses_what_the_kernel_would_cut() -> None:
    room = "x" * (1023 - len(" panic=10"))
    assert edited(room, PANIC, machine="armv7l").endswith(" panic=10")
    with pytest.raises(ReasonError) as caught:
        edited(room + "x", PANIC, machine="armv7l")
    assert caught.value.reason.code == "cmdline_too_long"
    assert "1025 bytes" in caught.value.reason.message


def test_edit_lets_a_line_that_is_too_long_become_shorter() -> None:
    assert edited("x" * 3000 + " panic=1", NO_PANIC) == "x" * 3000


# --- Parameters that are refused -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        pytest.param("", "1", "a name is missing", id="no name"),
        pytest.param("--", None, "a name is missing", id="separator"),
        pytest.param("a b", None, "its name has a space", id="space"),
        pytest.param("a=b", None, "an equals sign", id="equals"),
        pytest.param("#a", None, "a number sign", id="comment"),
        pytest.param('a"', None, "double quote", id="quote in the name"),
        pytest.param("a", 'b"c', "double quote", id="quote in the value"),
        pytest.param("a", "b\nc", "line break", id="line break"),
        pytest.param("a", "b\r", "line break", id="carriage return"),
        pytest.param("a", "b\tc", "control character", id="tab"),
        pytest.param("a", "\x1b[0m", "control character", id="escape"),
        pytest.param("a", "à", "takes for a space", id="byte that is a space"),
        pytest.param("initrd", "x", "belongs to the boot loader", id="initramfs"),
        pytest.param("BOOT-IMAGE", "x", "belongs to the boot loader", id="kernel"),
    ],
)
def test_check_refuses(name: str, value: str | None, problem: str) -> None:
    with pytest.raises(ReasonError) as caught:
        edit.check([PANIC, Change(name, value)])
    assert caught.value.reason.code == "parameter_invalid"
    assert problem in caught.value.reason.message


def test_check_refuses_two_values_of_one_parameter_unless_they_may_be_several() -> None:
    with pytest.raises(ReasonError, match="given twice"):
        edit.check([Change("a-b", "1"), Change("a_b", "2")])
    edit.check([Change("a", "1", multiple=True), Change("a", "2", multiple=True)])
    edit.check([Change("a", "1", present=False), Change("a", "2", present=False)])


# --- What holds for every line -------------------------------------------------------------

NAMES = ["panic", "panic_on_oops", "kexec_load", "kexec-load-disabled", "a", "--"]
WORDS = st.builds(
    lambda name, value: name if value is None or name == "--" else f"{name}={value}",
    st.sampled_from(NAMES),
    st.one_of(st.none(), st.sampled_from(["", "1", '"x  y"', "ttyS0,115200", "'", "\\", "$x"])),
)
GAPS = st.text(" \t", min_size=1, max_size=3)
LINES = st.builds(
    lambda start, words, end: start + "".join(word + gap for word, gap in words) + end,
    st.text(" \t", max_size=2),
    st.lists(st.tuples(WORDS, GAPS), max_size=10),
    st.sampled_from(["", "last", "last \r"]),
)
CHANGES = st.builds(
    Change,
    st.sampled_from([*NAMES[:-1], "kexec_load_disabled"]),
    st.one_of(st.none(), st.sampled_from(["", "1", "x y"])),
    st.booleans(),
    st.booleans(),
)


@given(LINES, CHANGES)
def test_edit_is_idempotent_and_does_what_it_says(line: str, change: Change) -> None:
    after = edited(line, change)
    assert change.holds(_cmdline.split(after))
    assert edited(after, change) == after


@given(LINES, CHANGES)
def test_edit_leaves_the_other_words_in_their_order(line: str, change: Change) -> None:
    def others(text: str) -> list[str]:
        kernel, init = _cmdline.kernel_part(_cmdline.split(text))
        return [word for word in kernel if not change.names(word)] + init

    assert others(edited(line, change)) == others(line)


@given(LINES, CHANGES)
def test_present_then_absent_restores_the_line(line: str, change: Change) -> None:
    kernel = _cmdline.kernel_part(_cmdline.split(line))[0]
    assume(change.present and not any(map(change.names, kernel)))
    after = edited(line, change)
    assert after != line
    assert edited(after, Change(change.name, present=False)) == line

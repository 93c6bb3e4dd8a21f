# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of settings that a shell sources: how each quoting is read and written."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import shell
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.text import Line, Texts
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC = Change("panic", "10")
QUOTED = Change("dyndbg", "file a.c +p")


def find(texts: Texts) -> list[Line]:
    return [(shell.assigned_or_new("f", texts["f"], "opts"),)]


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, find, [change], "x86_64")["f"]


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param('opts="a"\n', PANIC, 'opts="a panic=10"\n', id="double"),
        pytest.param("opts='a'\n", PANIC, "opts='a panic=10'\n", id="single"),
        pytest.param("opts=a\n", PANIC, 'opts="a panic=10"\n', id="bare gets quotes"),
        pytest.param("opts=\n", PANIC, "opts=panic=10\n", id="bare needs none"),
        pytest.param("opts=\n", QUOTED, 'opts="dyndbg=\\"file a.c +p\\""\n', id="bare, quotes"),
        pytest.param('opts=""\n', PANIC, 'opts="panic=10"\n', id="empty"),
        pytest.param('opts="a"', PANIC, 'opts="a panic=10"', id="no final newline"),
        pytest.param('opts="a"\r\nx=1\r\n', PANIC, 'opts="a panic=10"\r\nx=1\r\n', id="CRLF"),
        pytest.param('opts="a"  # opts="b"\n', PANIC, 'opts="a panic=10"  # opts="b"\n', id="tail"),
        pytest.param('opts="a#b"\n', PANIC, 'opts="a#b panic=10"\n', id="number sign inside"),
        pytest.param('\texport opts="a"\n', PANIC, '\texport opts="a panic=10"\n', id="export"),
        pytest.param('opts="a \\" b\\""\n', PANIC, 'opts="a \\" b\\" panic=10"\n', id="quotes"),
        pytest.param('opts="a"\n', QUOTED, 'opts="a dyndbg=\\"file a.c +p\\""\n', id="new quotes"),
        pytest.param("opts='a'\n", QUOTED, "opts='a dyndbg=\"file a.c +p\"'\n", id="in single"),
        pytest.param('opts="a"\n', Change("b", "$x`\\"), 'opts="a b=\\$x\\`\\\\"\n', id="escaped"),
        pytest.param('opts="a \\n"\n', PANIC, 'opts="a \\n panic=10"\n', id="lone backslash"),
        pytest.param('opts="a \\$x"\n', PANIC, 'opts="a \\$x panic=10"\n', id="dollar as text"),
        pytest.param(
            'opts="a"\nopts="b"\n', PANIC, 'opts="a"\nopts="b panic=10"\n', id="last one wins"
        ),
        pytest.param(
            '# opts="panic=1"\nopts="a"\n', PANIC, '# opts="panic=1"\nopts="a panic=10"\n', id="#"
        ),
        pytest.param(
            "# don't\nx='if; then'\nopts='a'\n",
            PANIC,
            "# don't\nx='if; then'\nopts='a panic=10'\n",
            id="words of a program as text",
        ),
        pytest.param('my_opts="a"\nopts_x=1\n', PANIC, None, id="other names"),
        pytest.param("", PANIC, 'opts="panic=10"\n', id="empty file"),
        pytest.param('y="$opts"\nopts="a"\n', PANIC, 'y="$opts"\nopts="a panic=10"\n', id="read"),
        pytest.param("x=1", PANIC, 'x=1\nopts="panic=10"', id="new without final newline"),
        pytest.param("x=1\r\n", PANIC, 'x=1\r\nopts="panic=10"\r\n', id="new with CRLF"),
    ],
)
def test_edit(before: str, change: Change, after: str | None) -> None:
    wanted = before + 'opts="panic=10"\n' if after is None else after
    assert edited(before, change) == wanted
    assert edited(wanted, change) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param('opts="$opts x"\n', "the shell replaces", id="variable"),
        pytest.param('opts="`id`"\n', "the shell replaces", id="command"),
        pytest.param("opts=$x\n", "more than plain text", id="bare variable"),
        pytest.param("opts=~/x\n", "more than plain text", id="tilde"),
        pytest.param('opts+=" x"\n', "in another way", id="appended"),
        pytest.param('opts="a"\n: "${opts:=b}"\n', "in another way", id="default"),
        pytest.param('opts="a"\ntrue && opts=b\n', "in another way", id="behind a command"),
        pytest.param('opts="a"; opts="b"\n', "in another way", id="two on a line"),
        pytest.param('opts="a"\nunset opts\n', "in another way", id="unset"),
        pytest.param("opts=\"a\"'b'\n", "more than plain text", id="two quotes"),
        pytest.param('opts="a" command\n', "more than plain text", id="only for a command"),
        pytest.param('opts="a \\\n b"\n', "not closed on its line", id="continuation in quotes"),
        pytest.param("opts=a\\\n", "goes on behind a backslash", id="continuation"),
        pytest.param('opts="a\nb"\n', "not closed on its line", id="line break in quotes"),
        pytest.param('x="\nopts=y\n"\n', "not closed on its line", id="inside other quotes"),
        pytest.param("cat <<E\nopts=a\nE\n", "text of its own", id="here-document"),
        pytest.param("if true; then\n  opts=a\nfi\n", "it is a program", id="condition"),
        pytest.param("opts=a\n. /etc/other\n", "it is a program", id="another file"),
        pytest.param("opts=a\n[ -r /x ] && . /x\n", "it is a program", id="file on condition"),
        pytest.param("LABEL a\n  LINUX k\n", "it is a program", id="menu of a boot loader"),
        pytest.param("opts=a\nlogger x\n", "it is a program", id="command"),
        pytest.param("f() {\nopts=a\n}\n", "it is a program", id="function"),
        pytest.param("opts=a\nX=1 . ./other.conf\n", "it is a program", id="file in disguise"),
        pytest.param("X=1 return\nopts=a\n", "it is a program", id="end in disguise"),
        pytest.param("opts=a\nX=1 exec true\n", "it is a program", id="other program"),
        pytest.param("opts=a\nX='a b' eval \"$Y\"\n", "it is a program", id="text that is run"),
        pytest.param("opts=a\nX=$(id) Y=`id` true\n", "it is a program", id="command behind two"),
        pytest.param("opts=a\nX=1;exit\n", "it is a program", id="end behind a setting"),
        pytest.param("opts=a\nX=1 &\n", "it is a program", id="shell of its own"),
        pytest.param("opts=a\nexport 'opt'\"s=b\"\n", "it is a program", id="quoted name"),
        pytest.param("opts=a\nexport X=1 \\opts=b\n", "in another way", id="escaped name"),
        pytest.param("opts=a\nexport -n opts\n", "it is a program", id="option of export"),
    ],
)
def test_edit_refuses_what_it_would_have_to_guess(text: str, problem: str) -> None:
    with pytest.raises(NotUnderstoodError, match=problem):
        edited(text)


def test_edit_refuses_a_quote_inside_single_quotes() -> None:
    with pytest.raises(NotUnderstoodError, match="single quotes"):
        edited("opts='a'\n", Change("b", "it's"))


@pytest.mark.parametrize(
    "line",
    [
        "X=1 Y=2",
        "X=1; Y=2;",
        "export X Y=3 Z",
        "X+=' a'",
        "X=${Y:-3}$Z$",
        "X=$((1+1))",
        'X="$(. /etc/os-release; echo "$ID")"',
        "X=`( . /etc/os-release; echo ${NAME:-Alpine} ) 2>/dev/null || echo Alpine`",
        "X=a\\ b # exit",
    ],
)
def test_other_settings_are_no_program(line: str) -> None:
    assert edited(f"opts=\n{line}\n") == f"opts=panic=10\n{line}\n"


VALUES = st.text("ab =$`\\'#~;&%", max_size=12)


@pytest.mark.parametrize("start", ['opts="a"\n', "opts=a\n", "opts=\n"])
def test_a_shell_reads_what_was_written(start: str) -> None:
    @given(VALUES)
    def check(value: str) -> None:
        text = edited(start, Change("new", value))
        script = text + 'printf %s "$opts"'
        said = subprocess.check_output(["/bin/sh", "-c", script], text=True)
        assert said.split(" ", 1)[-1].endswith(Change("new", value).word.split(" ", 1)[-1])
        assert said == f"{start[5:].strip().strip(chr(34))} {Change('new', value).word}".lstrip(" ")

    check()


@given(st.text("a\"'\\ #$=\r\n", max_size=30))
def test_settings_of_any_kind_are_edited_or_refused(text: str) -> None:
    before = f'{text}\nopts="q"\nexport opts\n'
    try:
        after = edited(before)
    except NotUnderstoodError:
        return
    assert after == f'{text}\nopts="q panic=10"\nexport opts\n'
    assert edited(after, Change("panic", present=False)) == before

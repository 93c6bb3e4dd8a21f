# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A variable of a settings file that a shell sources, as long as it holds plain text."""

from __future__ import annotations

import re
import typing as t

from ..._bootloader.loader import NotUnderstoodError, text_lines
from ..text import PLAIN, Cell, Quoting, Span, line_break

# What may stand without quotes and mean itself.
_SAFE = re.compile(r"[A-Za-z0-9_./:,=@%+-]*", re.ASCII)
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=", re.ASCII)
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# A word to its end; what it holds in parentheses or between backquotes runs in a shell of its own.
_WORD = (
    r"""(?:[^ \t"'\\`$;&|<>()]|\\.|'[^']*'|"(?:\\.|[^"\\])*"|`[^`]*`"""
    r"""|\$\(\(?[^()]*\)?\)|\$\{[^}]*\}|\$(?![({]))*"""
)
_SETS = rf"{_NAME}\+?={_WORD}"
_COMMAND = rf"(?:{_SETS}(?:[ \t]+{_SETS})*|export(?:[ \t]+{_NAME}(?:={_WORD})?)+)[ \t]*"
# A line that does nothing, or only sets variables. Any other makes a program of the settings: a
# word behind an assignment is a command, which may read other files or end these.
_SETTING = re.compile(rf"[ \t]*(?:{_COMMAND}(?:;[ \t]*{_COMMAND})*;?[ \t]*)?", re.DOTALL)
# A shell takes a backslash away before these only, inside double quotes.
_ESCAPED = '"\\$`'


def _read_double(raw: str) -> list[Cell]:
    cells: list[Cell] = []
    rest = iter(raw)
    for char in rest:
        if char in "$`":
            raise NotUnderstoodError(f"the shell replaces something in {raw!r}")
        following = next(rest, "") if char == "\\" else ""
        if following and following in _ESCAPED:
            cells.append((following, char + following))
        else:
            cells += [(each, each) for each in char + following]
    return cells


def _write_double(text: str) -> str:
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in text)


def _write_single(text: str) -> str:
    if "'" in text:
        raise NotUnderstoodError(f"{text!r} cannot stand inside its single quotes")
    return text


def _finish_bare(raw: str) -> str:
    return raw if _SAFE.fullmatch(raw) else f'"{raw}"'


DOUBLE = Quoting(_read_double, _write_double)
SINGLE = Quoting(PLAIN.read, _write_single)
BARE = Quoting(PLAIN.read, _write_double, _finish_bare)


def assigned(path: str, text: str, name: str) -> Span | None:
    """The value that the last assignment to a variable gives it."""
    found: Span | None = None
    program = False
    for start, line in text_lines(text):
        _refuse(line, name)
        code = _code(line)
        program = program or not _SETTING.fullmatch(code)
        match = _ASSIGNMENT.match(line)
        if match and match[1] == name:
            found = _value(path, line, start, match.end())
    if program:
        raise NotUnderstoodError(f"it is a program, and what becomes of {name} is not certain")
    return found


def _refuse(line: str, name: str) -> None:
    """What may change the variable in another way, or make a line mean something else."""
    code = _code(line)
    if code.endswith("\\"):
        raise NotUnderstoodError(f"a line goes on behind a backslash: {line.strip()!r}")
    if "<<" in code:
        raise NotUnderstoodError(f"it has text of its own: {line.strip()!r}")
    own = _ASSIGNMENT.match(line)
    rest = code[own.end() :] if own and own[1] == name else code
    if re.search(rf"\b{name}\s*(?:\+|:)?=|\b(?:unset|read|readonly)\b.*\b{name}\b", rest):
        raise NotUnderstoodError(f"it changes {name} in another way: {line.strip()!r}")


def _code(line: str) -> str:
    """A line without its comment; quotes must end where they began."""
    quote = ""
    escaped = False
    for index, char in enumerate(line):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#" and (index == 0 or line[index - 1].isspace()):
            return line[:index]
    if quote:
        raise NotUnderstoodError(f"a quote is not closed on its line: {line.strip()!r}")
    return line


def _value(path: str, line: str, start: int, at: int) -> Span:
    """The span of a value, which must be one word of the shell and the last of its line."""
    quote = line[at : at + 1]
    if quote in ("'", '"'):
        end = _closing(line, at)
        span = Span(path, start + at + 1, start + end, DOUBLE if quote == '"' else SINGLE)
        rest = line[end + 1 :]
    else:
        match = t.cast("re.Match[str]", _SAFE.match(line, at))
        span = Span(path, start + at, start + match.end(), BARE)
        rest = line[match.end() :]
    if not re.fullmatch(r"\s*|\s+#.*", rest):
        raise NotUnderstoodError(f"its value is more than plain text: {line.strip()!r}")
    return span


def _closing(line: str, at: int) -> int:
    """Where the quote that opens here is closed; _code has found that it is."""
    end = at + 1
    while line[end] != line[at]:
        end += 2 if line[end] == "\\" and line[at] == '"' else 1
    return end


def assigned_or_new(path: str, text: str, name: str) -> Span:
    """The value of a variable, or the end of the file where it gets its first one."""
    found = assigned(path, text, name)
    if found is not None:
        return found
    newline = line_break(text)
    if not text or text.endswith("\n"):
        before, after = f'{name}="', f'"{newline}'
    else:
        before, after = f'{newline}{name}="', '"'
    return Span(path, len(text), len(text), DOUBLE, before, after)


def value_of(text: str, span: Span) -> str:
    """What an assignment gives its variable."""
    return "".join(char for char, _written in span.quoting.read(text[span.start : span.end]))


def with_value(text: str, span: Span, value: str) -> str:
    """The settings with another value."""
    raw = span.quoting.finish(span.quoting.write(value))
    return f"{text[: span.start]}{span.before}{raw}{span.after}{text[span.end :]}"

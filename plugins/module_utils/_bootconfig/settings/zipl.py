# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""/etc/zipl.conf, whose sections are in brackets and whose quotes know no escape."""

from __future__ import annotations

import posixpath
import re
import typing as t
from dataclasses import dataclass

from ..._bootloader.loader import NotUnderstoodError, text_lines
from ..text import PLAIN, Line, Quoting, Span, Texts, line_break

SETTINGS = "/etc/zipl.conf"

_OPTION = re.compile(r"(\s*)([A-Za-z_]+)\s*=\s*(.*?)\s*", re.DOTALL)


def _without(quote: str) -> t.Callable[[str], str]:
    def write(text: str) -> str:
        if quote in text:
            raise NotUnderstoodError(f"{text!r} cannot stand inside {quote} quotes")
        return text

    return write


def _finish(raw: str) -> str:
    """Without quotes, a value ends at white space or a number sign."""
    if not re.search(r"[\s#\"']", raw):
        return raw
    quote = "'" if '"' in raw else '"'
    if quote in raw:
        raise NotUnderstoodError(f"{raw!r} cannot stand inside quotes")
    return f"{quote}{raw}{quote}"


_QUOTINGS = {quote: Quoting(PLAIN.read, _without(quote)) for quote in ('"', "'")}
UNQUOTED = Quoting(PLAIN.read, str, _finish)


@dataclass
class _Section:
    parameters: Span | None = None
    image: Span | None = None

    def read(self, path: str, start: int, line: str, newline: str) -> None:
        match = _OPTION.fullmatch(line)
        name = match[2].lower() if match else ""
        if name == "parmfile":
            raise NotUnderstoodError("a section has its parameters in another file")
        if match and name == "image":
            end = start + len(line)
            before = f"{newline}{match[1]}parameters="
            self.image = Span(path, end, end, UNQUOTED, before=before)
        elif match and name == "parameters":
            self.parameters = _value(path, start + match.start(3), match[3])

    def lines(self) -> list[Line]:
        span = self.parameters or self.image
        return [(span,)] if self.image and span else []


def _value(path: str, start: int, value: str) -> Span:
    quoting = _QUOTINGS.get(value[:1])
    if quoting is None:
        if re.search(r"[#\"']", value):
            raise NotUnderstoodError(f"parameters are neither plain nor quoted: {value!r}")
        return Span(path, start, start + len(value), UNQUOTED)
    match = re.fullmatch(rf"{value[0]}([^{value[0]}]*){value[0]}(\s*#.*)?", value)
    if not match:
        raise NotUnderstoodError(f"a quote is not closed, or one is inside: {value!r}")
    return Span(path, start + 1, start + 1 + len(match[1]), quoting)


def lines(texts: Texts) -> list[Line]:
    """The parameters of each section that has a kernel."""
    found: list[Line] = []
    for path, text in texts.items():
        sections = [_Section()]
        for start, line in text_lines(text):
            if line.lstrip().startswith(("[", ":")):
                sections.append(_Section())
            elif not line.lstrip().startswith("#"):
                sections[-1].read(path, start, line, line_break(text))
        found += [line for section in sections for line in section.lines()]
    return found


def maps(text: str) -> tuple[str, ...]:
    """The files that zipl writes where its sections say so, and that lead the loader on."""
    options = (_OPTION.fullmatch(line) for _start, line in text_lines(text))
    targets = (match[3].strip("\"'") for match in options if match and match[2] == "target")
    return tuple(dict.fromkeys(posixpath.join(each, "bootmap") for each in targets))

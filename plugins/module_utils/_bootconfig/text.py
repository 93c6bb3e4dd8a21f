# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Stretches of a configuration's text that hold a command line, and how a file writes one down."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._bootloader.loader import BLANK

# A character of a command line, and how the file writes it.
Cell = tuple[str, str]


@dataclass(frozen=True)
class Quoting:
    """How a file writes the characters of a command line down."""

    read: t.Callable[[str], list[Cell]]
    write: t.Callable[[str], str]
    # Makes the whole valid, such as by quotes that it did not need before.
    finish: t.Callable[[str], str] = str


PLAIN = Quoting(lambda raw: [(char, char) for char in raw], str)


@dataclass(frozen=True)
class Span:
    """A stretch of a file that holds a command line, or a part of one."""

    path: str
    start: int
    end: int
    quoting: Quoting = PLAIN
    # What must stand around the words where there was nothing before.
    before: str = ""
    after: str = ""
    # What says that there is no word at all.
    nothing: str = ""
    # What becomes of the host without a word in it, as a sentence goes on.
    empty_means: str = ""


# Its spans in the order in which the kernel reads them; new parameters go to the end.
Line = tuple[Span, ...]
Texts = t.Mapping[str, str]
Finder = t.Callable[[Texts], t.Sequence[Line]]


def line_break(text: str) -> str:
    """How this text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def indent(text: str, at: int) -> str:
    """What stands before the first word of the line at a place."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(BLANK))]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""extlinux.conf that nothing generates, as extlinux, syslinux and U-Boot read it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ..entry import NotUnderstoodError
from ..text import Line, Span, Texts, line_break, text_lines

KERNEL_KEYWORDS = ("linux", "kernel", "fit")
# What syslinux starts by the end of its name instead of a kernel.
PROGRAM_SUFFIXES = (".c32", ".com", ".cbt", ".bin", ".bs", ".bss", ".0", ".img")

_LINE = re.compile(r"\s*(\S*)(\s*)(.*)", re.DOTALL)


@dataclass
class _Section:
    """A label, or what comes before the first one."""

    append: Span | None = None
    kernel: str | None = None
    # Where an APPEND would go, and how the line above is indented.
    end: int = 0
    indent: str = ""

    @property
    def boots_kernel(self) -> bool:
        name = (self.kernel or "").partition(" ")[0].lower()
        return bool(name) and not name.endswith(PROGRAM_SUFFIXES)


@dataclass
class _Menu:
    path: str
    text: str
    # It has an APPEND for all labels, and a dash instead of parameters; U-Boot has neither.
    syslinux: bool
    sections: list[_Section] = field(default_factory=lambda: [_Section()])
    in_help: bool = False

    def read(self, start: int, line: str) -> None:
        match = t.cast("re.Match[str]", _LINE.match(line))
        keyword, value = match[1].lower(), match[3].strip()
        if self.in_help or (keyword, value.lower()) == ("text", "help"):
            self.in_help = keyword != "endtext"
        elif keyword == "include" or (keyword == "menu" and _leads_on(value)):
            raise NotUnderstoodError("it includes another file or has a menu inside a menu")
        elif keyword == "label":
            self.sections.append(_Section())
        elif keyword == "append":
            self.sections[-1].append = self._span(start, line, match)
        elif keyword in KERNEL_KEYWORDS:
            section = self.sections[-1]
            section.kernel = value
            section.end = start + len(line)
            section.indent = line[: match.start(1)]

    def _span(self, start: int, line: str, match: re.Match[str]) -> Span:
        before = "" if match[2] else " "
        nothing = "-" if self.syslinux and len(self.sections) > 1 else ""
        return Span(
            self.path, start + match.start(3), start + len(line), before=before, nothing=nothing
        )

    def lines(self) -> list[Line]:
        common = self.sections[0].append if self.syslinux else None
        labels = self.sections[1:]
        found: list[Line] = [(common,)] if common else []
        for label in labels:
            if label.boots_kernel and (label.append or not common):
                found.append((label.append or self._new(label),))
        return found if any(label.boots_kernel for label in labels) else []

    def _new(self, label: _Section) -> Span:
        before = f"{line_break(self.text)}{label.indent}APPEND "
        end = label.end
        return Span(self.path, end, end, before=before)


def _leads_on(value: str) -> bool:
    return value.lower().startswith(("include", "begin"))


def _lines(texts: Texts, *, syslinux: bool) -> list[Line]:
    found: list[Line] = []
    for path, text in texts.items():
        menu = _Menu(path, text, syslinux)
        for start, line in text_lines(text):
            menu.read(start, line)
        found += menu.lines()
    return found


def lines(texts: Texts) -> list[Line]:
    """The command line of each entry that boots a kernel, and the one that they share."""
    return _lines(texts, syslinux=True)


def lines_of_uboot(texts: Texts) -> list[Line]:
    """The same, for a boot loader that knows neither programs nor a common APPEND."""
    return _lines(texts, syslinux=False)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""limine.conf, whose entries start with a slash and hold options with a colon."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..entry import NotUnderstoodError
from ..text import Line, Span, Texts, line_break, text_lines

SETTINGS = "/boot/limine/limine.conf"

_OPTION = re.compile(r"(\s*)([A-Za-z0-9_]+):([ \t]*)(.*)", re.DOTALL)
_COMMAND_LINES = ("cmdline", "kernel_cmdline")
_KERNELS = ("path", "kernel_path")


@dataclass
class _Entry:
    protocol: str = ""
    cmdline: Span | None = None
    kernel: Span | None = None

    def read(self, path: str, start: int, line: str, newline: str) -> None:
        match = _OPTION.match(line)
        if not match:
            return
        name, value, end = match[2].lower(), match[4], start + len(line)
        if name == "protocol":
            self.protocol = value.strip().lower()
        elif name in _KERNELS:
            self.kernel = Span(path, end, end, before=f"{newline}{match[1]}cmdline: ")
        elif name in _COMMAND_LINES:
            self._read_cmdline(Span(path, start + match.start(4), end), value)

    def _read_cmdline(self, span: Span, value: str) -> None:
        if self.cmdline:
            raise NotUnderstoodError("an entry has two command lines")
        if "${" in value:
            raise NotUnderstoodError(f"a command line has a macro: {value!r}")
        self.cmdline = span

    def lines(self) -> list[Line]:
        """Other protocols start other boot loaders and kernels."""
        span = self.cmdline or self.kernel
        return [(span,)] if self.protocol == "linux" and span else []


def lines(texts: Texts) -> list[Line]:
    """The command line of each entry that boots Linux."""
    found: list[Line] = []
    for path, text in texts.items():
        entries = [_Entry()]
        for start, line in text_lines(text):
            if line.lstrip().startswith("/"):
                entries.append(_Entry())
            else:
                entries[-1].read(path, start, line, line_break(text))
        found += [line for entry in entries[1:] for line in entry.lines()]
    return found

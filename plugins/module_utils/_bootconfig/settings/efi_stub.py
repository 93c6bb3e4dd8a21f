# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""startup.nsh of the EFI shell: a kernel as the command, and its parameters."""

from __future__ import annotations

import re

from ..._bootloader.loader import NotUnderstoodError, text_lines
from ..text import Line, Span, Texts

SETTINGS = "/boot/startup.nsh"

# The shell of EFI would replace these, or end the command there.
FORBIDDEN = "#%^<>|;"

_KERNEL = re.compile(
    r"[ \t]*[^ \t=]*(?:vmlinu[xz]|bzimage|linux[^ \t=]*\.efi)[^ \t=]*(?=[ \t]|$)", re.IGNORECASE
)
_QUOTED = re.compile('"[^"]*"')
_NO_COMMAND = re.compile(
    r"[ \t]*(?:#.*|@?echo[ \t].*|[a-z]+[0-9]*:[ \t]*|cd[ \t].*|)", re.IGNORECASE
)


def lines(texts: Texts) -> list[Line]:
    """The line that starts the kernel, without the kernel itself."""
    found: list[Line] = []
    for path, text in texts.items():
        if "\0" in text:
            raise NotUnderstoodError("it is not written in bytes of a letter each")
        found += [_line(path, at, line) for at, line in text_lines(text) if not _idle(line)]
    if len(found) != 1:
        raise NotUnderstoodError(f"it has {len(found)} commands instead of one")
    return found


def _idle(line: str) -> bool:
    return _NO_COMMAND.fullmatch(line) is not None


def _line(path: str, start: int, line: str) -> Line:
    match = _KERNEL.match(line)
    if not match:
        raise NotUnderstoodError(f"a command starts no kernel: {line.strip()!r}")
    rest = line[match.end() :]
    if any(char in FORBIDDEN for char in _QUOTED.sub("", rest)):
        raise NotUnderstoodError(f"the shell of EFI takes it for more: {line.strip()!r}")
    at = start + match.end() + len(rest) - len(rest.lstrip(" \t"))
    return (Span(path, at, start + len(line), before="" if rest[:1] in (" ", "\t") else " "),)

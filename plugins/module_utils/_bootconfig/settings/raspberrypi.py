# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The command line in cmdline.txt, by what its reader tells of it."""

from __future__ import annotations

import typing as t

from ..._bootloader.loaders.raspberrypi import only_line, refuse
from ..text import Finder, Line, Span, Texts


def lines(texts: Texts) -> list[Line]:
    """The one line, or where it would be."""
    return [(Span(path, *(only_line(text) or (0, 0))),) for path, text in texts.items()]


def lines_for(configurations: t.Iterable[str]) -> Finder:
    """What is edited must be what is read."""
    for each in configurations:
        refuse(each)
    return lines

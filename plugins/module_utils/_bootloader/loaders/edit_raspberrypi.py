# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""cmdline.txt of the Raspberry Pi: one line, and nothing else."""

from __future__ import annotations

from ..entry import NotUnderstoodError
from ..text import Line, Span, Texts, text_lines

SETTINGS = "/boot/cmdline.txt"


def lines(texts: Texts) -> list[Line]:
    """The one line; the firmware would not read a second one."""
    found: list[Line] = []
    for path, text in texts.items():
        spans = [Span(path, at, at + len(line)) for at, line in text_lines(text) if line.strip()]
        if len(spans) > 1:
            raise NotUnderstoodError(f"it has {len(spans)} lines instead of one")
        found.append((spans[0] if spans else Span(path, 0, 0),))
    return found

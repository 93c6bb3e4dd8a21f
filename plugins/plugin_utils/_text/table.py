# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Texts from anywhere as lines of a table."""

from __future__ import annotations

import typing as t

TEXT_LIMIT = 1000
EMPTY_CELL = "-"


def one_line(text: str, limit: int) -> str:
    """The text as one line without anything that a terminal would obey, cut at a limit."""
    # A text of any size is cut first; what is taken out makes it no longer.
    visible = "".join(each if each.isprintable() else " " for each in text[: 4 * limit])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def aligned(rows: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    # A report may come from a file, and an inventory's names are anybody's.
    cells = [[one_line(cell, TEXT_LIMIT) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]

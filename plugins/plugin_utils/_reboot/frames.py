# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The frame around each answer of a host: what a login or sudo prints is no part of one."""

from __future__ import annotations

import typing as t


def between(output: str, nonce: str) -> str | None:
    """What stands between the two lines with the nonce; None if it is not whole."""
    lines = output.split("\n")
    begin = _line(f"BEGIN {nonce}", lines, 0)
    end = None if begin is None else _line(f"END {nonce}", lines, begin + 1)
    return None if end is None else "".join(f"{line}\n" for line in lines[begin + 1 : end])


def _line(text: str, lines: t.Sequence[str], start: int) -> int | None:
    """Where it stands first; a terminal ends lines with more than a newline."""
    numbers = range(start, len(lines))
    return next((number for number in numbers if lines[number].rstrip("\r") == text), None)

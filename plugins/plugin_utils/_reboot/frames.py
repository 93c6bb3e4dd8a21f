# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The frame around each answer of a host: what a login or sudo prints is no part of one."""

from __future__ import annotations


def between(output: str, nonce: str) -> str | None:
    """What stands between the two lines with the nonce; None if it is not whole."""
    lines = output.split("\n")
    # A terminal ends lines with more than a newline.
    texts = [line.rstrip("\r") for line in lines]
    try:
        begin = texts.index(f"BEGIN {nonce}") + 1
        end = texts.index(f"END {nonce}", begin)
    except ValueError:
        return None
    return "".join(f"{line}\n" for line in lines[begin:end])

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The frame around each answer of a host: what a login or sudo prints is no part of one."""

from __future__ import annotations

import re


def between(output: str, nonce: str) -> str | None:
    """What stands between the two lines with the nonce; None if it is not whole."""
    frame = re.search(
        rf"^BEGIN {re.escape(nonce)}\r*\n(.*?)^END {re.escape(nonce)}\r*$",
        output,
        re.MULTILINE | re.DOTALL,
    )
    return None if frame is None else frame.group(1)

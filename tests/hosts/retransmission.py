# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a sender tries again, by its system's clock and not by its program's."""

from __future__ import annotations

# Linux' shortest timeout on a quick network (RFC 6298 with a floor of 0.2 s), doubled each time.
FIRST_TIMEOUT = 0.2


def next_after(sent: float, moment: float) -> float:
    """Return when a segment that nobody acknowledges is sent again, at that moment or later."""
    due, timeout = sent, FIRST_TIMEOUT
    while due < moment:
        due += timeout
        timeout *= 2
    return due

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a sender tries again, by its system's clock and not by its program's."""

from __future__ import annotations

# Linux' shortest timeout on a quick network, doubled each time (RFC 6298). On the segment of the
# host it grows no further than a failed search for the neighbour takes, which the kernel is told of
# (RFC 6069); behind a router it does.
FIRST_TIMEOUT, LAST_TIMEOUT = 0.2, 3.0


def next_after(sent: float, moment: float) -> float:
    """Return when a segment that nobody acknowledges is sent again, at that moment or later."""
    due, timeout = sent, FIRST_TIMEOUT
    while due < moment:
        due += timeout
        timeout = min(2 * timeout, LAST_TIMEOUT)
    return due

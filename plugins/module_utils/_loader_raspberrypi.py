# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""cmdline.txt of the Raspberry Pi's firmware: one line, and no word about the kernel."""

from __future__ import annotations

from ._boot_entry import Entry, NotUnderstood


def default_entry(text: str) -> Entry:
    """The command line; the kernel is chosen in config.txt and stays unknown here."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise NotUnderstood(f"it has {len(lines)} lines instead of one")
    return Entry("cmdline.txt", None, (), lines[0])

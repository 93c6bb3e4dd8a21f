# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""cmdline.txt of the Raspberry Pi's firmware: one line, and no word about the kernel."""

from __future__ import annotations

import re

from ..entry import Entry, NotUnderstoodError

CONFIGURATIONS = ("config.txt", "usercfg.txt")

_ELSEWHERE = re.compile(r"^\s*(cmdline|os_prefix)\s*=", re.MULTILINE)


def default_entry(text: str, configuration: str = "") -> Entry:
    """The command line; the kernel is chosen in config.txt and stays unknown here."""
    elsewhere = _ELSEWHERE.search(configuration)
    if elsewhere:
        raise NotUnderstoodError(f"config.txt sets {elsewhere[1]}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise NotUnderstoodError(f"it has {len(lines)} lines instead of one")
    return Entry("cmdline.txt", None, (), lines[0])

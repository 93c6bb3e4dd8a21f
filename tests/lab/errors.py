# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception that reaches the user: what was found, and what to do about it."""

from __future__ import annotations


class LabError(Exception):
    """A failure with a stable code, the fact that was found and the remedy."""

    def __init__(self, code: str, found: str, remedy: str) -> None:
        super().__init__(f"[{code}] {found}\n  remedy: {remedy}")
        self.code = code
        self.found = found
        self.remedy = remedy

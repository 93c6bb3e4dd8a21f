# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What a boot loader's configuration says it boots next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A menu entry as its file states it: paths are not resolved yet."""

    title: str
    kernel: str | None
    initramfs: tuple[str, ...]
    cmdline: str


class NotUnderstoodError(Exception):
    """The configuration uses something that these readers do not know."""


class StartsNoLinuxError(NotUnderstoodError):
    """The configuration is understood, and boots something else: a hypervisor, another loader."""

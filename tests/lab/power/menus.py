# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What boot loaders start by themselves, by their menus; written for the judge alone.

The collection has parsers of its own. A judge that shared them would share their mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """The files that the default entry of a menu needs, by absolute paths."""

    kernel: str
    initramfs: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """Parts of the boot loader itself, without which it does not come to the entry."""

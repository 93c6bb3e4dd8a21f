# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The controller's own identity, which no reboot must hit."""

from __future__ import annotations

import pathlib

BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")


def boot_id(path: pathlib.Path = BOOT_ID) -> str | None:
    """The boot that this machine runs, None where it is not Linux."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None

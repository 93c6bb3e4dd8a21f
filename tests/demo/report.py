# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table and the line of JSON at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich.table import Table

from .proof import Reboot

ROWS: dict[str, Callable[[Reboot], str]] = {
    "method": lambda reboot: reboot.after.method,
    "downtime": lambda reboot: f"{reboot.downtime:.1f} s",
    "release": lambda reboot: reboot.after.kernel,
    "boot_id before": lambda reboot: reboot.before.boot_id,
    "boot_id after": lambda reboot: reboot.after.boot_id,
}


def table(reboots: Sequence[Reboot]) -> Table:
    """Return what happened, a column for each reboot."""
    made = Table(title="Two reboots of the same machine")
    for heading in ("", *(reboot.by for reboot in reboots)):
        made.add_column(heading, no_wrap=True)
    for name, show in ROWS.items():
        made.add_row(name, *(show(reboot) for reboot in reboots))
    return made


def line(reboots: Sequence[Reboot]) -> str:
    """Return the same for a program."""
    return json.dumps({"reboots": [reboot.as_dict() for reboot in reboots]})

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.
"""Services of somebody else that load an image, or jump into one, while the host goes down."""

from __future__ import annotations

import re
import typing as t

from ..._host.port import Host
from ..._reasons import Reason, reason
from .check import Check

RUNLEVELS = "/etc/runlevels"
SCRIPTS = "/etc/init.d"

# Loading for a crash (-p) is another matter.
_KEXEC = re.compile(
    r"^[^#\n]*(?<![\w-])kexec(?![\w-])[^#\n]*\s(?:-e|--exec|-l|--load|-f|--force)\b", re.MULTILINE
)
# What this collection's own services say of themselves.
_OURS = "/run/alpinefleet-kexec"


def read(host: Host) -> tuple[str, ...]:
    """The services of all runlevels that use kexec and are not ours."""
    levels = host.names(RUNLEVELS)
    enabled = {name for level in levels for name in host.names(f"{RUNLEVELS}/{level}")}
    scripts = {name: host.text(f"{SCRIPTS}/{name}") or "" for name in sorted(enabled)}
    return tuple(
        name for name, text in scripts.items() if _KEXEC.search(text) and _OURS not in text
    )


def judge(names: tuple[str, ...]) -> t.Iterator[Reason]:
    if names:
        yield reason(
            "kexec_services",
            f"The services {', '.join(names)} use kexec while the host goes down: they would replace "
            "the image, or jump where firmware was wanted.",
            "Take them out of their runlevels (rc-update del) and stop them, or let the role "
            "kexec_host do so.",
        )


SERVICES = Check("services", read, judge)

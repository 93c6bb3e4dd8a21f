# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""/etc/update-extlinux.conf, from which update-extlinux generates extlinux.conf."""

from __future__ import annotations

from ..text import Line, Texts
from .shell import assigned_or_new

SETTINGS = "/etc/update-extlinux.conf"
VARIABLE = "default_kernel_opts"

# Parameters that are made of variables of their own.
GENERATED = frozenset({"modules", "root"})


def lines(texts: Texts) -> list[Line]:
    """The one command line of all entries, but for root= and modules=."""
    return [(assigned_or_new(SETTINGS, texts[SETTINGS], VARIABLE),)]

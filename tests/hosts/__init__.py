# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts as they are seen over ssh, each behaving as a script says.

The real ssh client and the real ansible-playbook run against them. What they are sent is
recognised and never run, but for modules that only read where a script asks for it.
"""

from __future__ import annotations

from .boot import Boot, Image
from .host import Host
from .hosts import Hosts
from .journal import Event, Journal
from .script import FOR_EVER, Fault, Penalties, Script

__all__ = [
    "FOR_EVER",
    "Boot",
    "Event",
    "Fault",
    "Host",
    "Hosts",
    "Image",
    "Journal",
    "Penalties",
    "Script",
]

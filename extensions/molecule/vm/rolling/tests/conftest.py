# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machines of this scenario have in common."""

from __future__ import annotations

from tests.plays import Machine

KIND = "rolling"


class Host(Machine):
    """A machine of a campaign."""

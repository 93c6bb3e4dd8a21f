# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How examples are made up, for all tests that have them made."""

from __future__ import annotations

from hypothesis import settings

# How long one takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("of any length", deadline=None)
settings.load_profile("of any length")

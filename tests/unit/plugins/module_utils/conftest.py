# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the property tests run: the same everywhere, and without a trace in the working copy."""

from __future__ import annotations

import os

# Before hypothesis is imported: it looks for its directory then.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", ".cache/hypothesis")

import hypothesis

# Machines that emulate are slow, so that time proves nothing.
hypothesis.settings.register_profile(
    "unit", database=None, deadline=None, derandomize=True, max_examples=100
)
hypothesis.settings.load_profile("unit")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is tested: what every run has time for, or everything."""

from __future__ import annotations

import os

import pytest

# ./test full sets it.
EXHAUSTIVE = bool(os.environ.get("ALPINEFLEET_EXHAUSTIVE"))

only_in_full = pytest.mark.skipif(not EXHAUSTIVE, reason="only in ./test full")

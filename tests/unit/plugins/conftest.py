# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import fakes


@pytest.fixture
def alpine(tmp_path: Path) -> fakes.FakeHost:
    return fakes.FakeHost(tmp_path / "root")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of power cuts need of the host."""

from __future__ import annotations

import shutil

import pytest

from tests.lab.commands import environment

TOOLS = ("debugfs", "e2fsck", "e2undo", "mke2fs")


@pytest.fixture
def e2fsprogs() -> None:
    """Skip where the tools of ext4 are not installed."""
    for name in TOOLS:
        if not shutil.which(name, path=environment()["PATH"]):
            pytest.skip(f"needs {name}")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import ServiceHost


@pytest.fixture
def host() -> t.Iterator[ServiceHost]:
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="services-")).resolve()
    yield ServiceHost(root)
    shutil.rmtree(root)

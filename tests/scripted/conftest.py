# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from tests.hosts import Hosts
from tests.scripted.site import Site


@pytest.fixture
def site() -> t.Iterator[Site]:
    """Hosts that are gone after the test, whatever came of it."""
    with Hosts() as hosts:
        yield Site(hosts)

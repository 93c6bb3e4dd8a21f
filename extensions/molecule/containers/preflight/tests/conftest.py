# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container of this scenario."""

from __future__ import annotations

import pytest

from tests.plays import Machine


@pytest.fixture(scope="session")
def container(request: pytest.FixtureRequest) -> Machine:
    return Machine("preflight-container", request.config.getoption("ansible_inventory"))

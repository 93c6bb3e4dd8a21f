# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.bench.load import Load

LOAD = Load(times=[0.0, 1.0, 2.0, 3.0], busy=[0.0, 0.0, 2.0, 3.0], all=[0.0, 2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    ("begin", "end", "share"),
    [
        pytest.param(0.0, 1.0, 0.0, id="idle"),
        pytest.param(1.2, 1.8, 1.0, id="within a gap"),
        pytest.param(0.0, 9.0, 0.5, id="all"),
        pytest.param(9.0, 9.5, 0.0, id="after the last sample"),
    ],
)
def test_share(begin: float, end: float, share: float) -> None:
    assert LOAD.share(begin, end) == share

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.hosts import retransmission


@pytest.mark.parametrize(
    ("sent", "moment", "due"),
    [
        pytest.param(10.0, 9.0, 10.0, id="sent later"),
        pytest.param(10.0, 10.1, 10.2, id="first"),
        pytest.param(10.0, 10.3, 10.6, id="second"),
        pytest.param(10.0, 12.0, 13.0, id="fourth"),
        pytest.param(10.0, 20.0, 22.0, id="no longer than a neighbour is searched"),
    ],
)
def test_a_segment_is_sent_again_ever_later(sent: float, moment: float, due: float) -> None:
    assert retransmission.next_after(sent, moment) == pytest.approx(due)

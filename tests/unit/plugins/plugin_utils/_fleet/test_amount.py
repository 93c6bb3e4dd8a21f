# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of hosts and shares of them, and what is neither."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.amount import Amount, amount


@pytest.mark.parametrize(
    ("given", "expected", "of_nineteen"),
    [
        (0, Amount(0, is_share=False), 0),
        ("007", Amount(7, is_share=False), 7),
        (" 5 ", Amount(5, is_share=False), 5),
        ("10 %", Amount(10, is_share=True), 1),
        ("0%", Amount(0, is_share=True), 0),
        ("0100%", Amount(100, is_share=True), 19),
    ],
)
def test_amount_is_a_number_or_a_share(given: object, expected: Amount, of_nineteen: int) -> None:
    assert amount(given) == expected
    assert expected.of(19) == of_nineteen


@pytest.mark.parametrize(
    "given", [None, True, "", "%", -1, "-1", 1.0, "1.5%", "101%", "1%%", "1e3", "9" * 10, [1], {}]
)
def test_what_is_neither_is_none(given: object) -> None:
    assert amount(given) is None

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes of batches, and what is none."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import batches
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        (1, [1]),
        ("5", [5]),
        ("25%", ["25%"]),
        ("1,25%", [1, "25%"]),
        (" 1 , 25 % ", [1, "25%"]),
        ([1, "10%", "30%"], [1, "10%", "30%"]),
        (("007", "100%"), [7, "100%"]),
    ],
)
def test_sizes_are_numbers_and_shares(given: t.Any, sizes: list[int | str]) -> None:
    assert batches.sizes(given) == sizes


@pytest.mark.parametrize(
    "given",
    [
        *(
            0,
            -1,
            0.5,
            1.0,
            True,
            None,
            "",
            [],
            {},
            "0",
            "-1",
            "0.5",
            "1,",
            ",",
            "all",
            "0%",
            "101%",
        ),
        *("1e3", "1%%", "1.5%", [1, 0], [1, []], [[1]], {"a": 1}, "9" * 10),
    ],
)
def test_what_would_be_the_whole_fleet_is_refused(given: t.Any) -> None:
    with pytest.raises(StepError, match="must be numbers of hosts, 1 or more"):
        batches.sizes(given)

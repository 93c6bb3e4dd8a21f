# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.bench.results import Acceptance, PartResult, seconds


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        pytest.param(0.4, True, id="less"),
        pytest.param(0.5, True, id="at the limit"),
        pytest.param(0.6, False, id="more"),
        pytest.param(None, False, id="not measured"),
    ],
)
def test_acceptance_holds_only_for_what_was_found(found: float | None, holds: bool) -> None:
    acceptance = Acceptance("mean", found, 0.5, "s")
    assert acceptance.holds is holds
    assert PartResult("part", {}, [], [acceptance, Acceptance("other", 1, 2)]).holds is holds


def test_acceptance_as_a_dictionary_is_rounded() -> None:
    assert Acceptance("mean", 0.123456, 0.5, "s").as_dict() == {
        "name": "mean",
        "found": 0.123,
        "limit": 0.5,
        "unit": "s",
        "holds": True,
    }


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1.234, 2, "1.23 s"), (60.4, 0, "60 s"), (None, 2, "-")],
)
def test_seconds(value: float | None, digits: int, text: str) -> None:
    assert seconds(value, digits) == text

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.bench import figures


def test_summary_of_nothing_is_none() -> None:
    assert figures.summarise([]) is None


def test_summary_of_several() -> None:
    found = figures.summarise([4.0, 1.0, 2.0, 5.0])
    assert found == figures.Summary(count=4, mean=3.0, median=3.0, p95=5.0, maximum=5.0)
    assert found is not None
    assert found.as_dict()["mean"] == 3.0


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([1.0], 0.95, 1.0, id="one"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.5, 2.0, id="half"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.51, 3.0, id="over half"),
        pytest.param([float(n) for n in range(1, 101)], 0.95, 95.0, id="hundred"),
        pytest.param([1.0, 2.0], 1.0, 2.0, id="all"),
        pytest.param([1.0, 2.0], 0.0, 1.0, id="none"),
    ],
)
def test_quantile(values: Sequence[float], share: float, expected: float) -> None:
    assert figures.quantile(values, share) == expected


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [pytest.param(1.0, 4.0, 0.25, id="quarter"), pytest.param(1.0, 0.0, None, id="nothing")],
)
def test_ratio(value: float, to: float, expected: float | None) -> None:
    assert figures.ratio(value, to) == expected

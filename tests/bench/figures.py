# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statistics: numbers in, numbers out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Summary:
    """What several measurements of the same thing come to."""

    count: int
    mean: float
    median: float
    p95: float
    maximum: float

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}


def summarise(values: Sequence[float]) -> Summary | None:
    """Return the summary; nothing measured has none."""
    if not values:
        return None
    ordered = sorted(values)
    return Summary(
        len(ordered),
        statistics.fmean(ordered),
        statistics.median(ordered),
        quantile(ordered, 0.95),
        ordered[-1],
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the sorted values does not exceed."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def ratio(value: float, to: float) -> float | None:
    """Return how large a value is beside another one, if there is anything to compare with."""
    return value / to if to > 0 else None

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.hosts.penalties import Ledger
from tests.hosts.script import Penalties


def charged(*times: float, rules: Penalties | None = None) -> Ledger:
    ledger = Ledger(rules or Penalties())
    for time in times:
        ledger.charge(time)
    return ledger


@pytest.mark.parametrize(("number", "refuses"), [(0, False), (14, False), (15, True), (30, True)])
def test_connections_at_once_are_refused_from_fifteen_on(number: int, *, refuses: bool) -> None:
    assert charged(*[100.0] * number).refuses(100.0) == refuses


def test_connections_that_are_a_second_apart_are_never_refused() -> None:
    assert not charged(*range(100)).refuses(100.0)


@pytest.mark.parametrize(("now", "refuses"), [(114.9, True), (115.0, False)])
def test_penalty_ends_with_the_last_second_that_is_owed(now: float, *, refuses: bool) -> None:
    assert charged(*[100.0] * 15).refuses(now) == refuses


def test_penalty_that_is_being_paid_stays_enforced() -> None:
    ledger = charged(*[100.0] * 15)
    ledger.charge(110.0)
    assert ledger.refuses(115.5)


@pytest.mark.parametrize(("number", "refuses"), [(2, False), (3, True)])
def test_refused_logins_cost_more(number: int, *, refuses: bool) -> None:
    ledger = Ledger(Penalties())
    for _each in range(number):
        ledger.charge(100.0, refused=True)
    assert ledger.refuses(100.0) == refuses


def test_penalty_has_an_end() -> None:
    ledger = charged(*[100.0] * 50, rules=Penalties(at_most=20.0))
    assert ledger.refuses(119.0)
    assert not ledger.refuses(120.0)


def test_penalty_that_was_paid_is_forgotten() -> None:
    ledger = charged(*[100.0] * 15)
    assert not ledger.refuses(200.0)
    ledger.charge(200.0)
    assert not ledger.refuses(200.0)

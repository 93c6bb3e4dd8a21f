# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in for the reboot in the tests of roles can be called as the real thing is."""

from __future__ import annotations

import inspect
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._kexec_reboot import action, task
from ansible_collections.alpinefleet.kexec.tests.unit.roles.stand_in.plugin_utils._kexec_reboot import (
    action as stand_in,
)

PAIRS: list[tuple[type, type]] = [
    (task.RebootTask, stand_in.ScriptedTask),
    (action.RebootingAction, stand_in.RebootingAction),
]


def own(each: type) -> dict[str, t.Any]:
    """What a class has itself that others use."""
    return {name: value for name, value in vars(each).items() if not name.startswith("_")}


def parameters(function: t.Callable[..., t.Any]) -> list[tuple[str, t.Any, bool]]:
    """Names, kinds and whether they may be left out; what is not looked at is marked by a line."""
    return [
        (each.name.lstrip("_"), each.kind, each.default is not each.empty)
        for each in inspect.signature(function).parameters.values()
    ]


CALLS = [
    pytest.param(value, own(scripted).get(name), id=f"{real.__name__}.{name}")
    for real, scripted in PAIRS
    for name, value in own(real).items()
    if inspect.isfunction(value)
]


def test_there_are_calls_to_look_at() -> None:
    assert len(CALLS) > 6


@pytest.mark.parametrize(("real", "scripted"), CALLS)
def test_call_takes_the_same(real: t.Any, scripted: t.Any) -> None:
    assert scripted is not None
    assert parameters(scripted) == parameters(real)


@pytest.mark.parametrize(("real", "scripted"), PAIRS)
def test_nothing_is_there_that_the_real_one_lacks(real: type, scripted: type) -> None:
    values = {"answer"} if real is task.RebootTask else set()
    assert set(own(scripted)) - values <= set(own(real))

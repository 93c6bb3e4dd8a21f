# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules say of slots and trials is read once, and refused in another form."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.told import (
    BuildRefused,
    SlotsTold,
    TrialTold,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

UNSUPPORTED = {
    "code": "cold_proof_unsupported",
    "message": "No.",
    "remedy": "Set never.",
    "blocks": "nothing",
}


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (BuildRefused("panic"), "panic"),
        (BuildRefused("panic", "Kernel panic."), "panic: Kernel panic"),
        (BuildRefused("panic", "x", "2026-01-02T03:04:05Z"), "panic at 2026-01-02T03:04:05Z: x"),
    ],
)
def test_refusal_is_told_with_its_cause(refused: BuildRefused, said: str) -> None:
    assert str(refused) == said


@pytest.mark.parametrize("state", ["armed", "on_trial", "verified"])
def test_trial_is_on_until_it_is_kept_or_over(state: str) -> None:
    assert TrialTold.from_dict({"state": state, "next": "x", "changed": True}).is_on


@pytest.mark.parametrize("state", [None, "none", "committed", "rolled_back", "refused"])
def test_other_states_are_none(state: str | None) -> None:
    assert not TrialTold.from_dict({"state": state}).is_on


@pytest.mark.parametrize(
    ("told", "refused", "unproven"),
    [
        ({"state": "armed"}, False, False),
        ({"msg": "It broke."}, True, False),
        ({"msg": "No.", "stage": "preflight", "reasons": [UNSUPPORTED]}, True, True),
        # One that is refused may tell how far another one's is.
        ({"state": "on_trial", "stage": "preflight", "reasons": []}, True, False),
    ],
)
def test_module_that_has_failed_is_known_by_its_words(
    told: dict[str, t.Any], refused: bool, unproven: bool
) -> None:
    found = TrialTold.from_dict(told)
    assert (found.is_refused, found.is_unproven) == (refused, unproven)


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (SlotsTold.from_dict, {"good": 7}),
        (SlotsTold.from_dict, {"candidate": {"id": "a"}}),
        (TrialTold.from_dict, {"state": ["armed"]}),
        (TrialTold.from_dict, {"image": {"kernel": "/boot/a"}}),
    ],
)
def test_what_has_another_form_is_refused(read: t.Callable[..., t.Any], told: t.Any) -> None:
    with pytest.raises(StepError, match=r"Hand on what kernel_\w+ has returned"):
        read(told)

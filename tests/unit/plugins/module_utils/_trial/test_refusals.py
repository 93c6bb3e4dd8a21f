# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals of trials: whoever is refused learns why, and how far the trial is."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import plan as plans
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import refusals
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import Trial
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.state import TrialVerdict

SLOT, GOOD = "6.18.57-0-virt-0123456789ab", "6.18.56-0-virt-ba9876543210"
TRIAL = Trial("run-7", "armed", SLOT, GOOD, "boot", 600, 0)
ON = TrialVerdict("on_trial", "judge")
BACK = TrialVerdict("rolled_back", "nothing", "required_check", "nginx is down")
DONE = TrialVerdict("committed", "nothing")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (plans.options_invalid("it is so"), "parameter_invalid", ["fit: it is so."]),
        (refusals.of_another(TRIAL, ON), "trial_of_another", [SLOT, "run run-7", "on_trial"]),
        (refusals.over(TRIAL, BACK), "trial_over", [SLOT, "required_check: nginx is down", GOOD]),
        (refusals.over(TRIAL, DONE), "trial_over", ["it is committed.", f"good={GOOD}"]),
        (
            refusals.over(TRIAL, TrialVerdict("rolled_back", "nothing", "operator")),
            "trial_over",
            ["because of operator."],
        ),
        (refusals.none_on(), "trial_over", ["No kernel"]),
        (refusals.not_running(TRIAL), "trial_not_running", [SLOT]),
        (refusals.stray(BACK), "trial_left_running", ["through firmware"]),
        (refusals.no_slots(), "slots_missing", ["kernel_slot"]),
        (
            refusals.unclear("grub", "it is odd"),
            "boot_loader_not_understood",
            ["grub", "it is odd."],
        ),
        (refusals.no_boot_id(), "trial_not_understood", ["boot_id"]),
    ],
)
def test_refusal_says(error: ReasonError, code: str, words: list[str]) -> None:
    assert error.reason.code == code
    assert [word for word in words if word not in str(error)] == []


@pytest.mark.parametrize(
    "error",
    [refusals.of_another(TRIAL, BACK), refusals.over(TRIAL, BACK), refusals.stray(BACK)],
)
def test_refusal_tells_how_far_the_trial_is(error: ReasonError) -> None:
    assert error.details == {
        "state": "rolled_back",
        "next": "nothing",
        "cause": "required_check",
        "text": "nginx is down",
    }

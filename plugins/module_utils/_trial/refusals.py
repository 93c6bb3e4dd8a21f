# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Why a trial cannot be brought into the state that somebody wishes."""

from __future__ import annotations

from .._reasons import ReasonError, reason
from .journal import Trial
from .state import TrialVerdict


def of_another(trial: Trial, verdict: TrialVerdict) -> ReasonError:
    return _refusal(
        "trial_of_another",
        f"The trial of {trial.slot} is that of the run {trial.run}, and it is {verdict.state}.",
        f"Commit it or roll it back with run set to {trial.run}; an earlier run has no say in it.",
        verdict,
    )


def over(trial: Trial, verdict: TrialVerdict) -> ReasonError:
    how = f": {verdict.text}" if verdict.text else ""
    because = f" because of {verdict.cause}{how}" if verdict.cause else ""
    return _refusal(
        "trial_over",
        f"The trial of {trial.slot} is over, it is {verdict.state}{because}.",
        f"Arm a trial of another build. To go back from one that was committed, run kernel_slot "
        f"with good={trial.good}.",
        verdict,
    )


def none_on() -> ReasonError:
    return ReasonError(
        reason(
            "trial_over",
            "No kernel is on trial on this host.",
            "Arm a trial first.",
        )
    )


def not_running(trial: Trial) -> ReasonError:
    return ReasonError(
        reason(
            "trial_not_running",
            f"The trial of {trial.slot} is armed, and its kernel does not run.",
            "Reboot into it with kexec_reboot and the image that was returned, or roll it back.",
        )
    )


def unchecked(trial: Trial, why: str, verdict: TrialVerdict) -> ReasonError:
    return _refusal(
        "trial_unchecked",
        f"The host's own checks have not passed with {trial.slot}: {why.rstrip('.')}.",
        "See rc-status and /etc/alpinefleet-kexec/required.d on the host. Roll the trial back, or commit it "
        "once they have passed.",
        verdict,
    )


def stray(verdict: TrialVerdict) -> ReasonError:
    return _refusal(
        "trial_left_running",
        "The running kernel was started for a trial that is over, and it is not the default.",
        "Reboot through firmware first.",
        verdict,
    )


def no_slots() -> ReasonError:
    return ReasonError(
        reason(
            "slots_missing",
            "Firmware does not boot a slot of this collection, so there is nothing to fall back to.",
            "Run kernel_slot with state=present first.",
        )
    )


def unclear(loader: str, why: str) -> ReasonError:
    return ReasonError(
        reason(
            "boot_loader_not_understood",
            f"What firmware boots by the files of {loader} cannot be told: {why}.",
            "Run kernel_slot with state=present, or make the menu anew.",
        )
    )


def no_boot_id() -> ReasonError:
    return ReasonError(
        reason(
            "trial_not_understood",
            "How far a trial is cannot be told: the host does not say which boot runs.",
            "See that /proc/sys/kernel/random/boot_id can be read.",
        )
    )


def _refusal(code: str, message: str, remedy: str, verdict: TrialVerdict) -> ReasonError:
    """Whoever asks learns how far the trial is."""
    return ReasonError(
        reason(code, message, remedy),
        state=verdict.state,
        next=verdict.next,
        cause=verdict.cause,
        text=verdict.text,
    )

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How far a trial is, by its journal and by what is seen now, and what is to be done next."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .journal import INNOCENT, Cause, Journal, Refusal, Trial

TrialState = t.Literal[
    "none", "armed", "on_trial", "verified", "committed", "rolled_back", "refused"
]

# What whoever asks is to do, or has a module do.
NextStep = t.Literal[
    # There is nothing to be tried.
    "nothing",
    # A candidate waits for its trial.
    "arm",
    # Jump into the trial's kernel.
    "jump",
    # See whether all is well, and commit or roll back.
    "judge",
    # Have the next boot through firmware, and only that one, boot the slot.
    "prove",
    # Reboot through firmware: for the proof of a slot, or to leave one that was not kept.
    "reboot",
    # Make the slot what firmware boots.
    "commit",
    # It is that already: put it on record.
    "finish",
    # The trial is over: put on record how it ended, and see that nothing of it is left.
    "settle",
]


@dataclass(frozen=True)
class TrialEnd:
    """How a trial ended, by what is left of it."""

    cause: Cause
    text: str = ""


@dataclass(frozen=True)
class HostNow:
    """What is seen of a host now."""

    boot_id: str
    # The slot and the run that the running kernel was started for, by its command line.
    slot: str | None = None
    run: str | None = None
    # Whether a kexec started it, None where that cannot be told.
    by_kexec: bool | None = None
    # The slot that firmware boots, and the one that it boots once.
    default: str | None = None
    once: str | None = None
    # What apk has, where that is another build than the good one.
    candidate: str | None = None
    # What is left of a trial, should it be over, and whether that proves a fault of the build.
    ending: TrialEnd = TrialEnd("unknown")


@dataclass(frozen=True)
class TrialVerdict:
    """How far a trial is, how it ended if it did, and what is next."""

    state: TrialState
    next: NextStep
    cause: Cause | None = None
    text: str = ""


# These are proven, so that even a build that was verified is not kept.
PROVEN: tuple[Cause, ...] = ("required_check", "deadline", "panic", "watchdog")

BY_HAND = TrialEnd("operator", "Somebody made another slot the default while the trial was on.")
OUTRUN = TrialEnd(
    "operator", "The kernel was started for an earlier run, after a later one had taken over."
)


def judge(journal: Journal, seen: HostNow) -> TrialVerdict:
    """The same for the same journal and sight, so that every step can be done twice."""
    trial = journal.trial
    if trial is None:
        # A kernel whose trial nobody knows of must not stay.
        return TrialVerdict("none", "reboot" if _is_stray(seen) else _next_trial(journal, seen))
    if trial.is_open:
        return _OPEN[trial.step](trial, seen)
    return _judge_ended(trial, journal, seen)


def _next_trial(journal: Journal, seen: HostNow) -> NextStep:
    candidate = seen.candidate
    return "nothing" if candidate is None or journal.refusal_of(candidate) else "arm"


def _judge_ended(trial: Trial, journal: Journal, seen: HostNow) -> TrialVerdict:
    """A slot that was given up must not go on to run, however it was started."""
    if trial.step == "committed":
        stray = _is_stray(seen) and not _runs(trial, seen)
        mine = TrialVerdict("committed", "reboot" if stray else _next_trial(journal, seen))
    else:
        stray = _is_stray(seen) or seen.slot == trial.slot != seen.default
        after: NextStep = "reboot" if stray else _next_trial(journal, seen)
        mine = TrialVerdict("rolled_back", after, trial.cause, trial.text)
    refusal = journal.refusal_of(seen.candidate) if seen.candidate else None
    if refusal is None or seen.candidate == trial.slot or mine.next == "reboot":
        return mine
    return TrialVerdict("refused", mine.next, refusal.cause, refusal.text)


def _runs(trial: Trial, seen: HostNow) -> bool:
    """Whether the running kernel is the one of this trial, and of no other run's."""
    return (seen.run, seen.slot) == (trial.run, trial.slot)


def _is_stray(seen: HostNow) -> bool:
    """Whether the kernel is one that was started for a trial, and has not become the default."""
    return seen.run is not None and seen.slot != seen.default


def _is_proven(trial: Trial, seen: HostNow) -> bool:
    """Whether firmware started the slot; a parameter of a trial would tell that a run did."""
    return seen.slot == trial.slot and seen.run is None and not seen.by_kexec


def _over(ending: TrialEnd) -> TrialVerdict:
    return TrialVerdict("rolled_back", "settle", ending.cause, ending.text)


def _judge_armed(trial: Trial, seen: HostNow) -> TrialVerdict:
    if _runs(trial, seen):
        return TrialVerdict("on_trial", "judge")
    if seen.default == trial.slot:
        return _over(BY_HAND)
    if seen.boot_id == trial.boot_id:
        return TrialVerdict("armed", "jump")
    return _over(OUTRUN if seen.run is not None else seen.ending)


def _judge_verified(trial: Trial, seen: HostNow) -> TrialVerdict:
    """The build is well: a boot through firmware before it is the default is no fault of it."""
    if seen.default == trial.slot:
        return TrialVerdict("verified", "finish")
    if not _runs(trial, seen) and seen.ending.cause in PROVEN:
        return _over(seen.ending)
    if trial.cold_proof and not _is_proven(trial, seen):
        return TrialVerdict("verified", "prove")
    return TrialVerdict("verified", "commit")


def _judge_proving(trial: Trial, seen: HostNow) -> TrialVerdict:
    if seen.default == trial.slot:
        return TrialVerdict("verified", "finish")
    if _is_proven(trial, seen):
        return TrialVerdict("verified", "commit")
    if seen.once == trial.slot:
        return TrialVerdict("verified", "reboot")
    # The order was lost before there was a boot.
    ordered_here = seen.boot_id == trial.proof_boot_id
    return TrialVerdict("verified", "prove") if ordered_here else _over(seen.ending)


def _judge_rolling_back(trial: Trial, _seen: HostNow) -> TrialVerdict:
    return TrialVerdict("rolled_back", "settle", trial.cause, trial.text)


_OPEN: t.Mapping[str, t.Callable[[Trial, HostNow], TrialVerdict]] = {
    "armed": _judge_armed,
    "verified": _judge_verified,
    "proving": _judge_proving,
    "rolling_back": _judge_rolling_back,
}


def recorded(journal: Journal, verdict: TrialVerdict, seen: HostNow, now: int) -> Journal:
    """The journal once what is next was done; it is the same where that is not of the journal."""
    trial = journal.trial
    if trial is None or not trial.is_open:
        return journal
    if verdict.next == "judge":
        return replace(journal, trial=replace(trial, step="verified", began=True))
    if verdict.next == "prove":
        proving = replace(trial, step="proving", proof_boot_id=seen.boot_id)
        return replace(journal, trial=proving)
    if verdict.next in ("commit", "finish"):
        return replace(journal.allowing(trial.slot), trial=replace(trial, step="committed"))
    if verdict.next == "settle":
        return _settled(journal, trial, TrialEnd(verdict.cause or "unknown", verdict.text), now)
    return journal


def _settled(journal: Journal, trial: Trial, ending: TrialEnd, now: int) -> Journal:
    ended = replace(trial, step="rolled_back", cause=ending.cause, text=ending.text)
    if ending.cause not in INNOCENT:
        refusal = Refusal(trial.slot, ending.cause, ending.text, now, trial.run)
        journal = journal.refusing(refusal)
    return replace(journal, trial=ended)


def giving_up(journal: Journal, ending: TrialEnd) -> Journal:
    """The journal of somebody who rolls a trial back, before anything else is done for it."""
    trial = journal.trial
    if trial is None or not trial.is_open or trial.step == "rolling_back":
        return journal
    gone = replace(trial, step="rolling_back", cause=ending.cause, text=ending.text)
    return replace(journal, trial=gone)

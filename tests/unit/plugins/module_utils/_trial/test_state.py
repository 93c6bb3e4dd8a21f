# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a trial is: a table that is asked twice, and a host whose power fails at every step."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import journal, state
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import (
    Journal,
    Refusal,
    Trial,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.state import (
    BY_HAND,
    OUTRUN,
    HostNow,
    TrialEnd,
)

GOOD, NEW, LATER = (f"6.18.{n}-0-virt-0123456789ab" for n in (38, 56, 57))
RUN, OLDER_RUN = "run-7", "run-6"
BEFORE, PROOF, NOW = "boot-before", "boot-proof", "boot-now"
TIME = 1_795_671_657

ARMED = Trial(RUN, "armed", NEW, GOOD, BEFORE, 600, TIME)
COLD = replace(ARMED, cold_proof=True)
VERIFIED, COLD_VERIFIED = replace(ARMED, step="verified"), replace(COLD, step="verified")
PROVING = replace(COLD, step="proving", proof_boot_id=PROOF)
ROLLING_BACK = replace(ARMED, step="rolling_back", cause="deadline", text="late")
COMMITTED = replace(ARMED, step="committed")
ROLLED_BACK = replace(ROLLING_BACK, step="rolled_back")
BY_OPERATOR = replace(ROLLED_BACK, cause="operator", text="")

PANIC = TrialEnd("panic", "Kernel panic - not syncing: no init")
POWER = TrialEnd("power", "no jump")
REFUSED = (Refusal(NEW, "deadline", "late", TIME, RUN),)
REFUSED_LATER = (Refusal(LATER, "panic", "at once", TIME),)

# What runs: the good slot by firmware, the kernel on trial, and the slot by firmware.
FIRMWARE = HostNow(NOW, slot=GOOD, by_kexec=False, default=GOOD, candidate=NEW)
APK = replace(FIRMWARE, slot=None)
TRYING = replace(FIRMWARE, slot=NEW, run=RUN, by_kexec=True)
STRAY = replace(TRYING, run=OLDER_RUN)
PROVEN = replace(FIRMWARE, slot=NEW)
UNTOLD = replace(PROVEN, by_kexec=None)
DONE = replace(TRYING, default=NEW, candidate=None)


class Case(t.NamedTuple):
    trial: Trial | None
    seen: HostNow
    state: str
    next: str
    ending: TrialEnd | None = None
    refused: tuple[Refusal, ...] = ()


CASES = {
    "no trial, and nothing to try": Case(
        None, replace(FIRMWARE, candidate=None), "none", "nothing"
    ),
    "no trial, and a candidate": Case(None, FIRMWARE, "none", "arm"),
    "no slots": Case(None, HostNow(NOW), "none", "nothing"),
    "a refused candidate": Case(
        None, FIRMWARE, "none", "nothing", refused=(replace(REFUSED[0], cause="panic"),)
    ),
    "a trial whose journal is gone": Case(None, TRYING, "none", "reboot"),
    "a kernel that has become the default": Case(None, DONE, "none", "nothing"),
    # armed
    "armed": Case(ARMED, replace(FIRMWARE, boot_id=BEFORE), "armed", "jump"),
    "armed, on apk's kernel": Case(ARMED, replace(APK, boot_id=BEFORE), "armed", "jump"),
    "armed, on the kernel of the trial before": Case(
        ARMED, replace(FIRMWARE, boot_id=BEFORE, run=OLDER_RUN), "armed", "jump"
    ),
    "on trial": Case(ARMED, TRYING, "on_trial", "judge"),
    "on trial, whatever is left of others": Case(
        ARMED, replace(TRYING, ending=PANIC), "on_trial", "judge"
    ),
    "on trial, and the default by hand": Case(
        ARMED, replace(TRYING, default=NEW), "on_trial", "judge"
    ),
    "back on good, with a trace": Case(
        ARMED, replace(FIRMWARE, ending=PANIC), "rolled_back", "settle", PANIC
    ),
    "back on good, without one": Case(
        ARMED, FIRMWARE, "rolled_back", "settle", TrialEnd("unknown")
    ),
    "never left": Case(ARMED, replace(FIRMWARE, ending=POWER), "rolled_back", "settle", POWER),
    "back on apk's kernel": Case(ARMED, replace(APK, ending=PANIC), "rolled_back", "settle", PANIC),
    "the default by hand": Case(
        ARMED,
        replace(FIRMWARE, boot_id=BEFORE, default=NEW),
        "rolled_back",
        "settle",
        BY_HAND,
    ),
    "the slot by hand, once": Case(ARMED, PROVEN, "rolled_back", "settle", TrialEnd("unknown")),
    "an older run's jump": Case(ARMED, STRAY, "rolled_back", "settle", OUTRUN),
    "another slot's trial": Case(
        ARMED, replace(TRYING, slot=LATER), "rolled_back", "settle", OUTRUN
    ),
    # verified
    "verified": Case(VERIFIED, TRYING, "verified", "commit"),
    "verified, for a proof": Case(COLD_VERIFIED, TRYING, "verified", "prove"),
    "verified, then cut": Case(VERIFIED, FIRMWARE, "verified", "commit"),
    "verified, then cut, for a proof": Case(COLD_VERIFIED, FIRMWARE, "verified", "prove"),
    "verified, then a panic": Case(
        VERIFIED, replace(FIRMWARE, ending=PANIC), "rolled_back", "settle", PANIC
    ),
    "verified, and the default": Case(VERIFIED, DONE, "verified", "finish"),
    "verified, the default, then cut": Case(
        VERIFIED, replace(PROVEN, default=NEW), "verified", "finish"
    ),
    "ordered, then cut before that was on record": Case(
        COLD_VERIFIED, PROVEN, "verified", "commit"
    ),
    # proving
    "ordered": Case(PROVING, replace(TRYING, boot_id=PROOF, once=NEW), "verified", "reboot"),
    "ordered, and lost": Case(PROVING, replace(TRYING, boot_id=PROOF), "verified", "prove"),
    "ordered, and not yet asked for": Case(
        PROVING, replace(FIRMWARE, once=NEW), "verified", "reboot"
    ),
    "proven": Case(PROVING, PROVEN, "verified", "commit"),
    "proven, where kexec cannot be told": Case(PROVING, UNTOLD, "verified", "commit"),
    "booted by kexec, which proves nothing": Case(
        PROVING, replace(PROVEN, by_kexec=True), "rolled_back", "settle", TrialEnd("unknown")
    ),
    "the proof failed": Case(
        PROVING, replace(FIRMWARE, ending=PANIC), "rolled_back", "settle", PANIC
    ),
    "proven, and the default": Case(PROVING, replace(PROVEN, default=NEW), "verified", "finish"),
    # rolling back
    "rolling back, still there": Case(
        ROLLING_BACK, TRYING, "rolled_back", "settle", TrialEnd("deadline", "late")
    ),
    "rolling back, the default": Case(
        ROLLING_BACK, DONE, "rolled_back", "settle", TrialEnd("deadline", "late")
    ),
    # over
    "committed": Case(COMMITTED, DONE, "committed", "nothing"),
    "committed, and another candidate": Case(
        COMMITTED, replace(DONE, candidate=LATER), "committed", "arm"
    ),
    "committed, and another by hand": Case(COMMITTED, TRYING, "committed", "arm"),
    "committed, and a refused candidate": Case(
        COMMITTED,
        replace(DONE, candidate=LATER),
        "refused",
        "nothing",
        TrialEnd("panic", "at once"),
        REFUSED_LATER,
    ),
    "committed, and an older run's jump": Case(
        COMMITTED, replace(STRAY, slot=LATER, default=NEW), "committed", "reboot"
    ),
    "rolled back, still there": Case(
        ROLLED_BACK, TRYING, "rolled_back", "reboot", TrialEnd("deadline", "late"), REFUSED
    ),
    "rolled back, in its proof": Case(
        ROLLED_BACK, PROVEN, "rolled_back", "reboot", TrialEnd("deadline", "late"), REFUSED
    ),
    "rolled back, then an older run's jump": Case(
        ROLLED_BACK, STRAY, "rolled_back", "reboot", TrialEnd("deadline", "late"), REFUSED
    ),
    "rolled back": Case(
        ROLLED_BACK, FIRMWARE, "rolled_back", "nothing", TrialEnd("deadline", "late"), REFUSED
    ),
    "rolled back, and a mended build": Case(
        ROLLED_BACK,
        replace(FIRMWARE, candidate=LATER),
        "rolled_back",
        "arm",
        TrialEnd("deadline", "late"),
        REFUSED,
    ),
    "rolled back, and another refused build": Case(
        ROLLED_BACK,
        replace(FIRMWARE, candidate=LATER),
        "refused",
        "nothing",
        TrialEnd("panic", "at once"),
        (*REFUSED, *REFUSED_LATER),
    ),
    "rolled back by an operator": Case(
        BY_OPERATOR, FIRMWARE, "rolled_back", "arm", TrialEnd("operator")
    ),
    "rolled back, and the default by hand": Case(
        BY_OPERATOR, DONE, "rolled_back", "nothing", TrialEnd("operator")
    ),
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each_case
def test_judge(case: Case) -> None:
    known = Journal(case.trial, case.refused)
    for _twice in range(2):
        verdict = state.judge(known, case.seen)
        assert (verdict.state, verdict.next) == (case.state, case.next)
        ending = TrialEnd(verdict.cause, verdict.text) if verdict.cause else None
        assert ending == case.ending


@each_case
def test_step_on_record_twice_is_on_record_once(case: Case) -> None:
    known = Journal(case.trial, case.refused)
    verdict = state.judge(known, case.seen)
    once = state.recorded(known, verdict, case.seen, TIME)
    assert state.recorded(once, verdict, case.seen, TIME) == once
    assert journal.parse(once.as_text()) == once


@each_case
def test_nothing_but_a_trial_that_is_on_is_changed(case: Case) -> None:
    known = Journal(case.trial, case.refused)
    verdict = state.judge(known, case.seen)
    if case.trial is None or not case.trial.is_open or verdict.next in ("jump", "reboot", "arm"):
        assert state.recorded(known, verdict, case.seen, TIME) == known


@pytest.mark.parametrize("cause", journal.CAUSES)
def test_build_is_refused_unless_it_is_no_fault_of_it(cause: journal.Cause) -> None:
    seen = replace(FIRMWARE, ending=TrialEnd(cause, "why"))
    known = Journal(ARMED)
    settled = state.recorded(known, state.judge(known, seen), seen, TIME)
    refusal = settled.refusal_of(NEW)
    assert (refusal is None) == (cause in ("operator", "power"))
    assert refusal in (None, Refusal(NEW, cause, "why", TIME, RUN))
    assert settled.trial == replace(ARMED, step="rolled_back", cause=cause, text="why")


@pytest.mark.parametrize("trial", [None, COMMITTED, ROLLED_BACK, ROLLING_BACK])
def test_what_is_over_is_not_given_up(trial: Trial | None) -> None:
    assert state.giving_up(Journal(trial), PANIC) == Journal(trial)


@pytest.mark.parametrize("trial", [ARMED, VERIFIED, PROVING])
def test_what_is_on_is_given_up_for_a_cause(trial: Trial) -> None:
    given_up = state.giving_up(Journal(trial), PANIC)
    verdict = state.judge(given_up, TRYING)
    assert (verdict.next, verdict.cause, verdict.text) == ("settle", *PANIC.__dict__.values())
    assert state.giving_up(given_up, TrialEnd("operator")) == given_up


# --- A host whose power fails at every step -------------------------------------------------


@dataclass(frozen=True)
class World:
    """As much of a host as a trial is about, and what is on its disk."""

    known: Journal
    seen: HostNow
    fails_cold: bool = False

    def firmware(self) -> World:
        """What a power cut, or a reboot through firmware, leads to."""
        slot = self.seen.once or self.seen.default
        if self.seen.once and self.fails_cold:
            slot = self.seen.default
        boot = f"{self.seen.boot_id}+"
        seen = replace(self.seen, boot_id=boot, slot=slot, run=None, by_kexec=False, once=None)
        return replace(self, seen=seen)

    def jump(self) -> World:
        trial = self.known.trial
        assert trial is not None
        boot = f"{self.seen.boot_id}*"
        seen = replace(self.seen, boot_id=boot, slot=trial.slot, run=trial.run, by_kexec=True)
        return replace(self, seen=seen)

    def outside(self, step: str) -> World:
        """The part of a step that is not of the journal; it comes first."""
        if step == "jump":
            return self.jump()
        if step == "reboot":
            return self.firmware()
        if step == "prove":
            return replace(self, seen=replace(self.seen, once=NEW))
        if step == "commit":
            return replace(self, seen=replace(self.seen, default=NEW, candidate=None))
        return self

    def stages(self) -> list[World]:
        """The host between the two parts of the next step, and behind it."""
        verdict = state.judge(self.known, self.seen)
        between = self.outside(verdict.next)
        known = state.recorded(self.known, verdict, self.seen, TIME)
        return [between, replace(between, known=known)]


def start(*, cold_proof: bool, fails_cold: bool = False) -> World:
    trial = replace(ARMED, cold_proof=cold_proof)
    return World(Journal(trial), replace(FIRMWARE, boot_id=BEFORE), fails_cold)


def run(world: World, cut: int | None = None) -> World:
    """Go on until nothing is left to do, with one power cut on the way."""
    count = 0
    for _step in range(20):
        if state.judge(world.known, world.seen).next in ("nothing", "arm"):
            return world
        for stage in world.stages():
            world = stage
            if count == cut:
                world = world.firmware()
                count += 1
                break
            count += 1
    raise AssertionError("there is no end")


@pytest.mark.parametrize("cold_proof", [False, True])
def test_trial_without_a_cut_is_committed(cold_proof: bool) -> None:
    world = run(start(cold_proof=cold_proof))
    assert world.known.trial is not None
    assert (world.known.trial.step, world.seen.default) == ("committed", NEW)


def test_build_that_does_not_boot_by_firmware_is_not_committed() -> None:
    world = run(start(cold_proof=True, fails_cold=True))
    assert world.known.trial is not None
    assert (world.known.trial.step, world.seen.default) == ("rolled_back", GOOD)
    assert world.known.refusal_of(NEW) is not None


@pytest.mark.parametrize("cold_proof", [False, True])
@pytest.mark.parametrize("cut", range(12))
def test_after_any_power_cut_firmware_and_journal_say_the_same(cold_proof: bool, cut: int) -> None:
    world = run(start(cold_proof=cold_proof), cut)
    assert world.known.trial is not None
    ends = {"committed": NEW, "rolled_back": GOOD}
    assert world.seen.default == ends[world.known.trial.step]
    # Whoever is on a slot that was given up is told to leave, and good may run on for a while.
    assert world.seen.slot in (world.seen.default, GOOD)


@pytest.mark.parametrize("cut", range(12))
def test_build_that_fails_cold_never_becomes_the_default(cut: int) -> None:
    world = run(start(cold_proof=True, fails_cold=True), cut)
    assert (world.seen.default, world.seen.slot) == (GOOD, GOOD)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done about slots, as a table: each situation, and what follows from it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    Reason,
    ReasonError,
    reason,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import plan
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.candidate import Candidate
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.plan import (
    Situation,
    SlotPlan,
    SlotWish,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.store import Slot
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import (
    Cause,
    Journal,
    Refusal,
    Step,
    Trial,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

A, B, C, D = (slots.slot(build).id for build in "abcd")
PRESENT, ABSENT = SlotWish("present"), SlotWish("absent")
MISMATCH = reason("initramfs_mismatch", "They do not fit.", "Run mkinitfs.")
ADVICE = reason("initramfs_unverified", "Nobody looked.", "Nothing.")
UNKNOWN = reason("flavour_unknown", "There is none.", "Install one.")
TORN = reason("trial_not_understood", "It is torn.", "Remove it.")


def menus(*named: str, **changed: t.Any) -> Menus:
    """Menus in which the first slot is the default, and all agree."""
    first = next(iter(named), None)
    values = {"default": first, "configured": first, "named": frozenset(named), **changed}
    return Menus("extlinux", **values)


def candidate(build: str = "a", *reasons: Reason) -> Candidate:
    return Candidate(slots.manifest(build), reasons=reasons)


def refused(build: str, cause: Cause = "panic") -> Journal:
    return Journal(refused=(Refusal(build, cause, "", 1_700_000_000),))


def trial_of(slot: str, good: str = A) -> Journal:
    return Journal(Trial("r1", "armed", slot, good, fakes.BOOT_ID, 600, 1_700_000_000))


def seen(named: Menus, *builds: str, of: Candidate | None = None, **others: t.Any) -> Situation:
    """Slots by their letters, the newest first; a letter with a "!" is damaged in all its files."""
    found = []
    for each in builds:
        damaged = ("linux", "initrd", "modules") if each.endswith("!") else ()
        found.append(slots.slot(each[0], *damaged))
    values = {"parked": frozenset(slot.id for slot in found), **others}
    return Situation(named, tuple(found), of, **values)


@dataclass(frozen=True)
class Case:
    name: str
    seen: Situation
    wish: SlotWish = PRESENT
    # The plan but for its reasons, or the code of the refusal.
    then: SlotPlan | str = field(default_factory=lambda: SlotPlan(None))
    # The codes of the plan's reasons.
    told: tuple[str, ...] = ()


NOTHING = menus()
CASES = [
    # --- The first slot.
    Case(
        "none yet",
        seen(NOTHING, of=candidate("a", ADVICE)),
        then=SlotPlan(A, makes=True, entries=(A,)),
    ),
    Case(
        "none yet, and no telling what apk has",
        seen(NOTHING, no_candidate=UNKNOWN),
        then="flavour_unknown",
    ),
    Case(
        "none yet, and apk's pair broken",
        seen(NOTHING, of=candidate("a", MISMATCH)),
        then=MISMATCH.code,
    ),
    Case(
        "none yet, and apk's build refused",
        seen(NOTHING, of=candidate("a"), journal=refused(A)),
        then="build_refused",
    ),
    Case(
        "none yet, and a torn journal",
        seen(NOTHING, of=candidate("a"), journal=None, no_journal=TORN),
        then=TORN.code,
    ),
    Case(
        "none yet, refused, by force",
        seen(NOTHING, of=candidate("a"), journal=refused(A)),
        SlotWish("present", force=True),
        SlotPlan(A, makes=True, entries=(A,)),
    ),
    Case(
        "force does not boot what is broken",
        seen(NOTHING, of=candidate("a", MISMATCH)),
        SlotWish("present", force=True),
        MISMATCH.code,
    ),
    Case(
        "cut off after the slot was made",
        seen(NOTHING, "a", of=candidate("a")),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "cut off after the modules were kept",
        seen(NOTHING, of=candidate("a"), parked=frozenset({A})),
        then=SlotPlan(A, makes=True, entries=(A,)),
    ),
    Case(
        "made of what apk had then, and never the default",
        seen(NOTHING, "b", of=candidate("a")),
        then=SlotPlan(A, makes=True, entries=(A,), forgets=(B,)),
    ),
    # --- As it should be.
    Case("nothing to do", seen(menus(A), "a", of=candidate("a")), then=SlotPlan(A, entries=(A,))),
    Case(
        "apk has another one, which is for a trial",
        seen(menus(A), "a", of=candidate("b")),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "what apk has is broken, and firmware boots good",
        seen(menus(A), "a", of=candidate("b", MISMATCH)),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "good and previous",
        seen(menus(B, A), "b", "a", of=candidate("b")),
        then=SlotPlan(B, entries=(B, A)),
    ),
    Case(
        "more than are kept, of which the menu names one as yet",
        seen(menus(C, B, A), "c", "b", "a", of=candidate("c")),
        then=SlotPlan(C, entries=(C, B)),
    ),
    Case(
        "more than are kept, of which nothing names one any more",
        seen(menus(C, B), "c", "b", "a", of=candidate("c")),
        then=SlotPlan(C, entries=(C, B), forgets=(A,)),
    ),
    Case(
        "three are kept",
        seen(menus(C, B, A), "c", "b", "a", of=candidate("c")),
        SlotWish("present", keep=3),
        SlotPlan(C, entries=(C, B, A)),
    ),
    Case(
        "one is kept",
        seen(menus(B), "b", "a", of=candidate("b")),
        SlotWish("present", keep=1),
        SlotPlan(B, entries=(B,), forgets=(A,)),
    ),
    Case(
        "what runs is not forgotten",
        seen(menus(B), "b", "a", running=A),
        then=SlotPlan(B, entries=(B,)),
    ),
    Case(
        "what boots once is not forgotten",
        seen(menus(B, once=A), "b", "a"),
        then=SlotPlan(B, entries=(B, A)),
    ),
    Case(
        "what boots once has its entry though it is on trial",
        seen(menus(A, B, once=B), "b", "a", journal=trial_of(B)),
        then=SlotPlan(A, entries=(A, B)),
    ),
    Case(
        "what boots once and is damaged gets no entry",
        seen(menus(A, once=B), "b!", "a"),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "what is on trial is not forgotten, and gets no entry",
        seen(menus(A), "b", "a", journal=trial_of(B)),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "nothing is forgotten where the journal is torn",
        seen(menus(B), "b", "a", journal=None, no_journal=TORN),
        then=SlotPlan(B, entries=(B,)),
    ),
    Case(
        "what was refused is no previous one",
        seen(menus(A, B), "b", "a", journal=refused(B)),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "what an operator went back from is one",
        seen(menus(A, B), "b", "a", journal=refused(B, cause="operator")),
        then=SlotPlan(A, entries=(A, B)),
    ),
    Case(
        "modules of which the slot is gone",
        seen(menus(A), "a", parked=frozenset({A, B})),
        then=SlotPlan(A, entries=(A,), forgets=(B,)),
    ),
    # --- A power cut between settings and menu.
    Case(
        "a cut after the settings",
        seen(menus(A, configured=B, agrees=False), "b", "a", of=candidate("b")),
        then=SlotPlan(B, entries=(B, A)),
    ),
    Case(
        "a cut after the settings, which name a damaged one",
        seen(menus(A, configured=B, agrees=False), "b!", "a", of=candidate("c")),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "a cut while all was taken back",
        seen(menus(A, configured=None, agrees=False), "a", of=candidate("b")),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "a cut at the very first",
        seen(menus(default=None, configured=A, agrees=False), "a", of=candidate("a")),
        then=SlotPlan(A, entries=(A,)),
    ),
    # --- A menu that cannot be read.
    Case(
        "unclear, and one was the default before",
        seen(
            menus(default=None, unclear="two defaults", named=frozenset({A})),
            "b",
            "a",
            of=candidate("c"),
        ),
        then=SlotPlan(A, entries=(A,)),
    ),
    Case(
        "unclear, and the settings say it",
        seen(menus(default=None, configured=B, unclear="x", agrees=False), "b", "a"),
        then=SlotPlan(B, entries=(B,)),
    ),
    Case(
        "unclear, and there is none",
        seen(menus(default=None, unclear="two defaults"), of=candidate("a")),
        then=SlotPlan(A, makes=True, entries=(A,)),
    ),
    Case(
        "unclear, and taken back",
        seen(menus(default=None, unclear="two defaults"), "a", of=candidate("a")),
        ABSENT,
        SlotPlan(None, forgets=(A,)),
    ),
    # --- A damaged good one.
    Case(
        "damaged, and apk has the same",
        seen(menus(A), "a!", of=candidate("a")),
        then=SlotPlan(A, repairs=A, entries=(A,), repaired="files"),
        told=("slot_damaged",),
    ),
    Case(
        "missing, and apk has the same",
        seen(menus(A), of=candidate("a")),
        then=SlotPlan(A, repairs=A, entries=(A,), repaired="files"),
        told=("slot_damaged",),
    ),
    Case(
        "damaged in what apk still has",
        replace(
            seen(menus(A), of=Candidate(slots.manifest("a", cmdline="another"))),
            slots=(slots.slot("a", "linux", "modules"),),
        ),
        then=SlotPlan(A, repairs=A, entries=(A,), repaired="files"),
        told=("slot_damaged",),
    ),
    Case(
        "damaged in what apk has no more, and there is a previous one",
        seen(menus(B, A), "b!", "a", of=candidate("c")),
        then=SlotPlan(A, entries=(A,), repaired="previous"),
        told=("slot_damaged",),
    ),
    Case(
        "missing, and there is a previous one",
        seen(menus(B, A), "a", of=candidate("c")),
        then=SlotPlan(A, entries=(A,), repaired="previous"),
        told=("slot_damaged",),
    ),
    Case(
        "damaged, and the only other one is damaged, too",
        seen(menus(B, A), "b!", "a!", of=candidate("c")),
        then=SlotPlan(C, makes=True, entries=(C,), repaired="new"),
        told=("slot_damaged",),
    ),
    Case(
        "damaged, and the other one was on trial only",
        seen(menus(A), "b", "a!", of=candidate("c"), journal=trial_of(B)),
        then=SlotPlan(C, makes=True, entries=(C,), repaired="new"),
        told=("slot_damaged",),
    ),
    Case(
        "damaged, and apk's build was refused",
        seen(menus(A), "a!", of=candidate("b"), journal=refused(B)),
        then="slot_damaged",
    ),
    Case(
        "damaged, and apk's build was refused, by force",
        seen(menus(A), "a!", of=candidate("b"), journal=refused(B)),
        SlotWish("present", force=True),
        SlotPlan(B, makes=True, entries=(B,), repaired="new"),
        ("slot_damaged",),
    ),
    Case(
        "damaged, and apk's pair is broken",
        seen(menus(A), "a!", of=candidate("b", MISMATCH)),
        then="slot_damaged",
    ),
    Case(
        "damaged, and no telling what apk has",
        seen(menus(A), "a!", no_candidate=UNKNOWN),
        then="slot_damaged",
    ),
    Case(
        "a damaged previous one gets no entry",
        seen(menus(B, A), "b", "a!", of=candidate("b")),
        then=SlotPlan(B, entries=(B,)),
    ),
    # --- By an operator.
    Case(
        "back to the previous one, and not forward by itself",
        seen(menus(B, A), "b", "a", of=candidate("b")),
        SlotWish("present", good=A),
        SlotPlan(A, entries=(A, B), refuses=B),
    ),
    Case(
        "once more is nothing",
        seen(menus(A, B), "b", "a", of=candidate("b"), journal=refused(B, "operator")),
        SlotWish("present", good=A),
        SlotPlan(A, entries=(A, B)),
    ),
    Case(
        "the one that apk has",
        seen(menus(A, B), "b", "a", of=candidate("b")),
        SlotWish("present", good=B),
        SlotPlan(B, entries=(B, A)),
    ),
    Case(
        "one that is not there",
        seen(menus(A), "a", of=candidate("b")),
        SlotWish("present", good=C),
        "slot_unknown",
    ),
    Case(
        "one that is damaged",
        seen(menus(A, B), "b!", "a", of=candidate("b")),
        SlotWish("present", good=B),
        "slot_damaged",
    ),
    Case(
        "another one during a trial",
        seen(menus(A, B), "c", "b", "a", of=candidate("c"), journal=trial_of(C)),
        SlotWish("present", good=B),
        "slot_in_use",
    ),
    Case(
        "another one with a torn journal",
        seen(menus(A, B), "b", "a", of=candidate("c"), journal=None, no_journal=TORN),
        SlotWish("present", good=B),
        TORN.code,
    ),
    Case(
        "another one during a trial, by force",
        seen(menus(A, B), "c", "b", "a", of=candidate("c"), journal=trial_of(C)),
        SlotWish("present", good=B, force=True),
        SlotPlan(B, entries=(B, A), refuses=C),
    ),
    Case(
        "the same one during a trial, which is to be the last of its build",
        seen(menus(A), "c", "a", of=candidate("c"), journal=trial_of(C)),
        SlotWish("present", good=A),
        SlotPlan(A, entries=(A,), refuses=C),
    ),
    # --- Taken back.
    Case("nothing to take back", seen(NOTHING, no_candidate=UNKNOWN), ABSENT, SlotPlan(None)),
    Case(
        "taken back",
        seen(menus(B, A), "b", "a", of=candidate("b"), has_journal=True),
        ABSENT,
        SlotPlan(None, forgets=tuple(sorted((A, B))), forgets_journal=True),
    ),
    Case(
        "taken back for what apk has meanwhile",
        seen(menus(A), "a", of=candidate("b")),
        ABSENT,
        SlotPlan(None, forgets=(A,)),
    ),
    Case(
        "cut off after the menu",
        seen(NOTHING, "a", of=candidate("a")),
        ABSENT,
        SlotPlan(None, forgets=(A,)),
    ),
    Case(
        "only modules left, and a journal",
        seen(NOTHING, of=candidate("a"), parked=frozenset({B}), has_journal=True),
        ABSENT,
        SlotPlan(None, forgets=(B,), forgets_journal=True),
    ),
    Case(
        "not for a broken pair",
        seen(menus(A), "a", of=candidate("b", MISMATCH)),
        SlotWish("absent", force=True),
        MISMATCH.code,
    ),
    Case(
        "not for a refused build",
        seen(menus(A), "a", of=candidate("b"), journal=refused(B)),
        ABSENT,
        "build_refused",
    ),
    Case(
        "for a refused build by force",
        seen(menus(A), "a", of=candidate("b"), journal=refused(B)),
        SlotWish("absent", force=True),
        SlotPlan(None, forgets=(A,)),
    ),
    Case(
        "for a build that was refused, and is good nevertheless",
        seen(menus(A), "a", of=candidate("a"), journal=refused(A)),
        ABSENT,
        SlotPlan(None, forgets=(A,)),
    ),
    Case(
        "not during a trial",
        seen(menus(A), "b", "a", of=candidate("b"), journal=trial_of(B)),
        ABSENT,
        "slot_in_use",
    ),
    Case(
        "not with a torn journal",
        seen(menus(A), "a", of=candidate("a"), journal=None, no_journal=TORN, has_journal=True),
        ABSENT,
        TORN.code,
    ),
    Case(
        "with a torn journal by force",
        seen(menus(A), "a", of=candidate("b"), journal=None, no_journal=TORN, has_journal=True),
        SlotWish("absent", force=True),
        SlotPlan(None, forgets=(A,), forgets_journal=True),
    ),
    Case(
        "not while the running kernel's modules are mounted",
        seen(menus(A), "a", of=candidate("a"), mounted="/lib/modules/x"),
        ABSENT,
        "slot_in_use",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_follows(case: Case) -> None:
    before = replace(case.seen)
    if isinstance(case.then, str):
        with pytest.raises(ReasonError) as refusal:
            plan.plan(case.seen, case.wish)
        assert refusal.value.reason.code == case.then
    else:
        found = plan.plan(case.seen, case.wish)
        assert replace(found, reasons=()) == case.then
        assert tuple(each.code for each in found.reasons) == case.told
    assert case.seen == before


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_that_may_boot_is_forgotten(case: Case) -> None:
    """What a menu names goes only when all of ours does, and never what runs or is tried."""
    try:
        found = plan.plan(case.seen, case.wish)
    except ReasonError:
        return
    gone = set(found.forgets)
    assert not gone & {found.good, *found.entries}
    if case.wish.state == "present":
        named = case.seen.menus.named | (case.seen.journal or Journal()).named
        whole = {slot.id for slot in case.seen.slots if slot.whole}
        assert not gone & whole & {*named, case.seen.running, case.seen.menus.once}


def test_repaired_reason_blocks_no_reboot_and_unrepaired_one_does() -> None:
    found = plan.plan(seen(menus(A), "a!", of=candidate("a")), PRESENT)
    assert [each.blocks for each in found.reasons] == ["nothing"]
    with pytest.raises(ReasonError) as refusal:
        plan.plan(seen(menus(A), "a!", of=candidate("b", MISMATCH)), PRESENT)
    assert refusal.value.reason.blocks == "reboot"
    assert "They do not fit." in refusal.value.reason.message
    assert refusal.value.reason.remedy == "Run mkinitfs."


def test_unknown_slot_is_told_with_those_that_are_whole() -> None:
    with pytest.raises(ReasonError) as refusal:
        plan.plan(seen(menus(A), "b!", "a"), SlotWish("present", good="nonsense"))
    assert refusal.value.reason.message.endswith(f"slots that are whole: {A}.")


def test_manifest_that_is_gone_is_mended_only_by_the_same_content() -> None:
    lost = Slot(A, None, ("manifest",))
    same = replace(seen(menus(A), of=candidate("a")), slots=(lost,))
    assert plan.plan(same, PRESENT).repairs == A
    other = replace(seen(menus(A), of=candidate("b")), slots=(lost,))
    assert plan.plan(other, PRESENT).good == B


@pytest.mark.parametrize(("step", "entries"), [("armed", (A, B)), ("proving", (A,))])
def test_slot_before_keeps_its_entry_while_it_is_tried_anew(
    step: Step, entries: tuple[str, ...]
) -> None:
    """One that waits for its trial has its entry from before; later it may be there for its proof."""
    found = trial_of(B).trial
    assert found is not None
    seen = Situation(
        menus(A, B),
        (slots.slot("a"), slots.slot("b")),
        candidate("b"),
        journal=Journal(replace(found, step=step)),
    )
    assert plan.plan(seen, PRESENT).entries == entries

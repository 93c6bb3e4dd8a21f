# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is to be done about slots: a function of what was seen and of what is wished for."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._bootconfig.slots.look import Menus
from .._reasons import Blocks, Reason, ReasonError, reason
from .._trial import journal
from .._trial.journal import INNOCENT, Journal, Refusal
from . import store
from .candidate import Candidate
from .store import Slot

# How a good slot came to be another one, or whole again.
Repair = t.Literal["files", "previous", "new"]


@dataclass(frozen=True)
class Situation:
    """Everything that is known before anything is done."""

    menus: Menus
    # Verified, the newest first.
    slots: tuple[Slot, ...] = ()
    candidate: Candidate | None = None
    # Why there is none.
    no_candidate: Reason | None = None
    # The slot that the running kernel was told to be of.
    running: str | None = None
    # The journal of trials; None where it cannot be told what is in it, and why.
    journal: Journal | None = field(default_factory=Journal)
    no_journal: Reason | None = None
    # The slots of which modules are kept, whether there is such a slot or not.
    parked: frozenset[str] = frozenset()
    # Where the running kernel has its modules of a slot, if they are mounted and not linked.
    mounted: str | None = None
    # Whether there is a journal at all.
    has_journal: bool = False
    # What keeps slots from being of use, None where all services are there that they need.
    unguarded: Reason | None = None

    @property
    def good(self) -> str | None:
        return self.menus.good

    def slot(self, name: str | None) -> Slot | None:
        return next((slot for slot in self.slots if slot.id == name), None)

    def is_whole(self, name: str | None) -> bool:
        found = self.slot(name)
        return found is not None and found.whole

    def earlier(self, good: str | None) -> tuple[str, ...]:
        """The whole slots that have an entry, the default of now first, then the newest."""
        found = [
            slot.id
            for slot in self.slots
            if slot.whole
            and slot.id in self.menus.named - self.menus.before
            and slot.id not in (good, self._owed_to_trial)
            and not self._failed(slot.id)
        ]
        return tuple(sorted(found, key=lambda each: each != self.good))

    def _failed(self, build: str) -> bool:
        """Whether it was refused for what it did; that somebody went back from it proves nothing."""
        refusal = self.refusal_of(build)
        return refusal is not None and refusal.cause not in INNOCENT

    @property
    def _owed_to_trial(self) -> str | None:
        """The slot that may have its entry for its trial alone; one that is only armed has it from before."""
        trial = self.journal.trial if self.journal is not None else None
        return None if trial is None or trial.step == "armed" else self.on_trial

    @property
    def on_trial(self) -> str | None:
        """The slot of a trial that is not over."""
        trial = self.journal.trial if self.journal is not None else None
        return trial.slot if trial is not None and trial.is_open else None

    def refusal_of(self, build: str) -> Refusal | None:
        return None if self.journal is None else self.journal.refusal_of(build)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(slot.id for slot in self.slots) | self.parked


@dataclass(frozen=True)
class SlotWish:
    """The user's options."""

    state: t.Literal["present", "absent"] | None = None
    flavour: str | None = None
    good: str | None = None
    keep: int = 2
    force: bool = False


@dataclass(frozen=True)
class SlotPlan:
    """What is to be done, in this order."""

    # The slot that is to be the default, None for apk's kernel.
    good: str | None
    # Whether it is to be made of what apk has.
    makes: bool = False
    # A slot of which what is damaged is to be replaced by what apk has.
    repairs: str | None = None
    # The slots that get an entry, the default first.
    entries: tuple[str, ...] = ()
    # A build that is not to be tried.
    refuses: str | None = None
    forgets: tuple[str, ...] = ()
    # Whether the journal of trials goes, too.
    forgets_journal: bool = False
    repaired: Repair | None = None
    reasons: tuple[Reason, ...] = ()


def plan(seen: Situation, wish: SlotWish) -> SlotPlan:
    """ReasonError where what is wished for cannot be had."""
    return _absent(seen, wish) if wish.state == "absent" else _present(seen, wish)


# --- Present -------------------------------------------------------------------------------


def _present(seen: Situation, wish: SlotWish) -> SlotPlan:
    found = _by_operator(seen, wish) if wish.good is not None else _by_host(seen, wish)
    entries = (str(found.good), *seen.earlier(found.good)[: wish.keep - 1])
    once = seen.menus.once
    if seen.is_whole(once) and once not in entries:
        # Somebody ordered that it boots once, which takes an entry.
        entries = (*entries, str(once))
    return replace(found, entries=entries, forgets=_forgettable(seen, entries))


def _by_operator(seen: Situation, wish: SlotWish) -> SlotPlan:
    """What an operator goes back from is not to come again by itself."""
    good = str(wish.good)
    _check_chosen(seen, good)
    if good != seen.good:
        _check_no_trial(seen, wish)
    build = seen.candidate.id if seen.candidate is not None else good
    known = seen.journal is None or seen.refusal_of(build) is not None
    return SlotPlan(good, refuses=None if build == good or known else build)


def _check_chosen(seen: Situation, good: str) -> None:
    found = seen.slot(good)
    if found is None:
        raise ReasonError(_unknown(good, [slot.id for slot in seen.slots if slot.whole]))
    if not found.whole:
        raise ReasonError(damaged(found))


def _by_host(seen: Situation, wish: SlotWish) -> SlotPlan:
    """What is configured, or else what boots, or else what can be had of either."""
    for name in (seen.good, seen.menus.default):
        if seen.is_whole(name):
            return SlotPlan(name)
    if seen.good is None:
        return _first(seen, wish)
    found = seen.slot(seen.good) or store.missing(seen.good)
    if _is_repairable(found, seen.candidate):
        return _repaired(found, SlotPlan(found.id, repairs=found.id, repaired="files"))
    earlier = seen.earlier(found.id)
    if earlier:
        return _repaired(found, SlotPlan(earlier[0], repaired="previous"))
    obstacle = _obstacle(seen, wish)
    if obstacle is not None:
        raise ReasonError(damaged(found, obstacle))
    return _repaired(found, replace(_new(seen), repaired="new"))


def _first(seen: Situation, wish: SlotWish) -> SlotPlan:
    """None of ours boots, or there is no telling: then one that did before is the careful choice."""
    earlier = seen.earlier(None)
    if seen.menus.unclear is not None and earlier:
        return SlotPlan(earlier[0])
    obstacle = _obstacle(seen, wish)
    if obstacle is None and not wish.force:
        obstacle = seen.unguarded
    if obstacle is not None:
        raise ReasonError(obstacle)
    return _new(seen)


def _new(seen: Situation) -> SlotPlan:
    """A slot of what apk has, which may have been made by a run that was cut off."""
    name = seen.candidate.id if seen.candidate is not None else None
    return SlotPlan(name, makes=not seen.is_whole(name))


def _obstacle(seen: Situation, wish: SlotWish) -> Reason | None:
    """Why what apk has cannot be trusted."""
    candidate = seen.candidate
    if candidate is None:
        return seen.no_candidate
    if candidate.obstacles:
        return candidate.obstacles[0]
    if wish.force or candidate.id == seen.good:
        return None
    refusal = seen.refusal_of(candidate.id)
    return seen.no_journal if refusal is None else journal.build_refused(refusal).reason


def _is_repairable(found: Slot, candidate: Candidate | None) -> bool:
    """Tell whether apk has everything of it that is damaged."""
    if candidate is None:
        return False
    if candidate.id == found.id:
        return True
    return found.manifest is not None and all(
        found.manifest.part(name) == candidate.manifest.part(name) for name in found.damaged
    )


def _repaired(found: Slot, done: SlotPlan) -> SlotPlan:
    return replace(done, reasons=(damaged(found, blocks="nothing"),))


def _forgettable(seen: Situation, entries: t.Collection[str]) -> tuple[str, ...]:
    """What nothing can boot any more, and nobody runs or tries."""
    if seen.journal is None or seen.menus.unclear is not None:
        return ()
    in_use: set[str | None] = {*entries, *seen.menus.named, *seen.journal.named}
    in_use |= {seen.menus.default, seen.menus.configured, seen.menus.once, seen.running}
    return tuple(sorted(seen.ids - in_use))


# --- Absent --------------------------------------------------------------------------------


def _absent(seen: Situation, wish: SlotWish) -> SlotPlan:
    """What apk has must boot before anything is given up for it."""
    entries = seen.menus.named - seen.menus.before
    if not (seen.ids or seen.has_journal or entries) and seen.menus.unclear is None:
        # What else is left of a cut is the boot loader's to see.
        return SlotPlan(None)
    obstacle = _obstacle(seen, wish)
    if obstacle is not None:
        raise ReasonError(obstacle)
    _check_no_trial(seen, wish)
    if seen.mounted is not None and not wish.force:
        raise ReasonError(_mounted(seen.mounted))
    return SlotPlan(None, forgets=tuple(sorted(seen.ids)), forgets_journal=seen.has_journal)


def _check_no_trial(seen: Situation, wish: SlotWish) -> None:
    if wish.force:
        return
    if seen.no_journal is not None:
        raise ReasonError(seen.no_journal)
    if seen.on_trial is not None:
        raise ReasonError(_in_use(seen.on_trial))


# --- Reasons -------------------------------------------------------------------------------


def options_invalid(what: str) -> ReasonError:
    return ReasonError(
        reason(
            "parameter_invalid",
            f"The options do not fit: {what}.",
            "See the documentation of the module.",
        )
    )


def damaged(found: Slot, hinders: Reason | None = None, blocks: Blocks | None = None) -> Reason:
    """What is wrong with a slot, and what keeps another one from taking its place."""
    what = ", ".join(found.damaged)
    also = "" if hinders is None else f" Nothing can take its place: {hinders.message}"
    brings = "Run kernel_slot with state=present, which brings it back or takes another one."
    return reason(
        "slot_damaged",
        f"The slot {found.id} does not hold what it was made with: {what}.{also}",
        brings if hinders is None else hinders.remedy,
        blocks,
    )


def _in_use(slot: str) -> Reason:
    return reason(
        "slot_in_use",
        f"A trial of {slot} is not over.",
        "Commit it or roll it back with kernel_trial first, or set force to true.",
    )


def _mounted(point: str) -> Reason:
    return reason(
        "slot_in_use",
        f"The running kernel has its modules from a slot that is mounted at {point}.",
        "Reboot first, or set force to true and have it load no more modules until then.",
    )


def _unknown(good: str, known: t.Sequence[str]) -> Reason:
    return reason(
        "slot_unknown",
        f"There is no slot {good!r}; slots that are whole: {', '.join(known) or 'none'}.",
        "Choose one of these.",
    )

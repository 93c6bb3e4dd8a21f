# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What kernel_slot does: look, plan, and only then make, name, and forget slots."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._bootconfig import change
from .._bootconfig.slots.entry import SlotEntry
from .._bootconfig.slots.look import look
from .._host import notes
from .._host.lock import run_directory
from .._host.port import Host
from .._host.slot_places import SLOTS_FOLDER
from .._reasons import Reason, ReasonError, reason
from .._trial import journal
from .._trial.journal import Journal, Refusal
from .._write.files import Writer
from . import defaults, situation, store
from . import plan as plans
from .candidate import Candidate
from .plan import Situation, SlotPlan, SlotWish

SLOT_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"]},
    "flavour": {"type": "str"},
    "good": {"type": "str"},
    "keep": {"type": "int", "default": store.KEPT_SLOTS},
    "force": {"type": "bool", "default": False},
}
# More would fill /boot, and nobody goes back so far.
MOST_KEPT = 9


def wish_of(params: t.Mapping[str, t.Any]) -> SlotWish:
    """The user's options as a value."""
    state, good, keep = params["state"], params["good"], params["keep"]
    check_keep(keep)
    if good is not None and state == "absent":
        raise plans.options_invalid("good is set and state is absent")
    return SlotWish(
        "present" if good is not None else state, params["flavour"], good, keep, params["force"]
    )


def check_keep(keep: int) -> None:
    if not 1 <= keep <= MOST_KEPT:
        raise plans.options_invalid(f"keep is {keep} and must be between 1 and {MOST_KEPT}")


def ensure(
    host: Host, wish: SlotWish, *, check_mode: bool, now: t.Callable[[], float]
) -> dict[str, t.Any]:
    """Bring the slots into the state that the user named, or tell what there is."""
    if wish.state is None:
        return {"changed": False, **_facts(host, wish)}
    if check_mode:
        return _ensure(host, wish, _Work(host, check_mode=True, now=now))
    try:
        with run_directory(host):
            store.tidy(host)
            return _ensure(host, wish, _Work(host, check_mode=False, now=now))
    except OSError as error:
        raise change.not_held(error) from error


def make_default(host: Host, slot: str, keep: int) -> dict[str, t.Any]:
    """Make a slot the default that has proven itself; what was the default keeps its entry.

    Returns changed and diff. The caller holds the lock of the host, and keeps the journal.
    """
    seen = _see_whole(host, slot)
    names = (slot, *seen.earlier(slot)[: keep - 1])
    return defaults.ensure(host, _entries(seen, names, slot), slot, check_mode=False)


def name_for_proof(host: Host, slot: str, keep: int) -> dict[str, t.Any]:
    """Give a slot an entry, by which it can boot once; the default stays.

    Returns changed and diff. The caller holds the lock of the host.
    """
    seen = _see_whole(host, slot)
    names = (str(seen.good), *seen.earlier(seen.good)[: keep - 1], slot)
    return defaults.ensure(host, _entries(seen, names, seen.good), seen.good, check_mode=False)


def _see_whole(host: Host, slot: str) -> Situation:
    """What there is, of which this slot must be whole."""
    seen = situation.see(host)
    found = seen.slot(slot)
    if found is None or not found.whole:
        raise ReasonError(plans.damaged(found or store.missing(slot)))
    return seen


def _ensure(host: Host, wish: SlotWish, work: _Work) -> dict[str, t.Any]:
    seen = situation.see(host, wish.flavour)
    todo = plans.plan(seen, wish)
    written = work.do(seen, todo, wish)
    changed = bool(
        written["changed"]
        or todo.makes
        or todo.repairs
        or todo.refuses
        or todo.forgets
        or todo.forgets_journal
    )
    after = situation.see(host, wish.flavour) if changed and not work.check_mode else seen
    diff = [*written["diff"], _difference(seen, todo)]
    told = {**facts(after), "repaired": todo.repaired}
    if work.check_mode:
        told.update(good=todo.good, previous=next(iter(todo.entries[1:]), None))
    told["reasons"] = [*(each.as_dict() for each in todo.reasons), *told["reasons"]]
    return {"changed": changed, "diff": diff, **told}


class _Work:
    """The steps of a plan; each can be done again after a power cut."""

    def __init__(self, host: Host, *, check_mode: bool, now: t.Callable[[], float]) -> None:
        self._host = host
        self._now = now
        self.check_mode = check_mode

    def do(self, seen: Situation, todo: SlotPlan, wish: SlotWish) -> dict[str, t.Any]:
        """Carry it out; what can be found wrong is found before anything is touched."""
        host, entries = self._host, _entries(seen, todo.entries, todo.good)
        flavour = wish.flavour
        if flavour is None and seen.candidate is not None:
            flavour = seen.candidate.manifest.flavour
        if todo.makes or todo.repairs:
            store.check(host, t.cast(Candidate, seen.candidate), 0 if todo.repairs else wish.keep)
        foretold = defaults.ensure(host, entries, todo.good, check_mode=True, flavour=flavour)
        if self.check_mode:
            return foretold
        self._refuse(seen, todo)
        self._fill(seen, todo)
        written = defaults.ensure(host, entries, todo.good, check_mode=False, flavour=flavour)
        self._forget(todo, flavour)
        return written

    def _refuse(self, seen: Situation, todo: SlotPlan) -> None:
        """First, so that nobody tries the build again however far this comes."""
        if todo.refuses is None:
            return
        text = f"{todo.good} was made the default by hand."
        refusal = Refusal(todo.refuses, "operator", text, int(self._now()))
        journal.write(self._host, t.cast(Journal, seen.journal).refusing(refusal))

    def _fill(self, seen: Situation, todo: SlotPlan) -> None:
        if seen.candidate is not None and todo.makes:
            store.make(self._host, seen.candidate)
        if seen.candidate is not None and todo.repairs is not None:
            found = seen.slot(todo.repairs) or store.missing(todo.repairs)
            store.mend(self._host, found, seen.candidate)

    def _forget(self, todo: SlotPlan, flavour: str | None) -> None:
        """Last, and nothing that boots, whatever became of the boot loader's files."""
        if not todo.forgets and todo.good is not None:
            return
        found = look(self._host, flavour)
        boots = {found.default, found.configured, found.once}
        gone = [each for each in todo.forgets if each not in boots and found.unclear is None]
        store.forget(self._host, gone)
        if todo.good is None:
            store.clear(self._host)
        if todo.forgets_journal:
            for name in (notes.TRIAL, notes.TRIAL_END):
                Writer(self._host).discard(name)


def _entries(seen: Situation, names: t.Iterable[str], default: str | None) -> list[SlotEntry]:
    """The entries of slots, of which one may still have to be made, and one may be proven by its boot."""
    found = {slot.id: slot.manifest for slot in seen.slots if slot.manifest is not None}
    if seen.candidate is not None:
        found.setdefault(seen.candidate.id, seen.candidate.manifest)
    trial = seen.journal.trial if seen.journal is not None else None
    proofs = {trial.slot: trial.guard_of_proof} if trial is not None else {}
    return [
        replace(
            store.entry_of(name, found[name]),
            added=proofs.get(name, ()) if name != default else (),
        )
        for name in names
    ]


# --- What is told --------------------------------------------------------------------------


def _facts(host: Host, wish: SlotWish) -> dict[str, t.Any]:
    """A look alone fails for nothing."""
    try:
        return facts(situation.see(host, wish.flavour))
    except ReasonError as error:
        told = facts(situation.see_without_menus(host))
        return {**told, "reasons": [error.reason.as_dict(), *told["reasons"]]}


def facts(seen: Situation) -> dict[str, t.Any]:
    """What was found, under stable names."""
    good = seen.good
    return {
        "boot_loader": seen.menus.loader or None,
        "slots": [slot.as_dict() for slot in seen.slots],
        "good": good,
        "previous": next(iter(seen.earlier(good)), None),
        "running": seen.running,
        "on_trial": seen.on_trial,
        "candidate": _candidate(seen),
        "reasons": [each.as_dict() for each in _reasons(seen)],
    }


def _candidate(seen: Situation) -> dict[str, t.Any] | None:
    found, good = seen.candidate, seen.slot(seen.good)
    if found is None:
        return None
    refusal = seen.refusal_of(found.id)
    because = list(good.manifest.differences(found.manifest)) if good and good.manifest else []
    return {
        "id": found.id,
        "flavour": found.manifest.flavour,
        "release": found.manifest.release,
        "differs": found.id != seen.good,
        "because": because,
        "since": journal.moment(found.changed),
        "refused": refusal and refusal.as_dict(),
        "reasons": [each.as_dict() for each in found.reasons],
    }


def _reasons(seen: Situation) -> list[Reason]:
    found = [each for each in (seen.no_journal, seen.no_candidate) if each is not None]
    found += [_unclear(seen.menus.unclear)] if seen.menus.unclear is not None else []
    lost = seen.good is not None and seen.slot(seen.good) is None
    slots = [*seen.slots, *([store.missing(str(seen.good))] if lost else [])]
    damaged = [
        plans.damaged(slot, blocks=None if slot.id == seen.good else "nothing")
        for slot in slots
        if not slot.whole
    ]
    # Firmware boots the slot, whatever is wrong with what apk has.
    return [*damaged, *(replace(each, blocks="nothing") for each in found)]


def _difference(seen: Situation, todo: SlotPlan) -> dict[str, str]:
    before = {slot.id for slot in seen.slots}
    after = (before | set(todo.entries)) - set(todo.forgets)
    return {
        "before_header": SLOTS_FOLDER,
        "before": _shown(before, seen.good),
        "after_header": SLOTS_FOLDER,
        "after": _shown(after, todo.good),
    }


def _shown(names: t.Iterable[str], good: str | None) -> str:
    return "".join(f"{name}{' (good)' if name == good else ''}\n" for name in sorted(names))


def _unclear(why: str) -> Reason:
    return reason(
        "boot_loader_not_understood",
        f"Which entry of the boot loader's menu is the default cannot be told: {why}.",
        "Run kernel_slot with state=present, which has the menu made anew.",
    )

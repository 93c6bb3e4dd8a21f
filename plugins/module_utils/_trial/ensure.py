# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What kernel_trial does: look, judge, and take one step after the other, each on record."""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass, replace

from .. import _cmdline
from .._bootconfig import change
from .._bootconfig.slots import once as one_shot
from .._host import notes
from .._host.lock import run_directory
from .._host.port import Host
from .._reasons import ReasonError
from .._slot import ensure as slots
from .._slot import plan as plans
from .._slot import store
from .._slot.candidate import Candidate
from .._slot.manifest import INITRAMFS_FILE, KERNEL_FILE, Manifest
from .._slot.plan import Situation
from .._write.files import Writer
from . import evidence, guard, journal, refusals, state
from .journal import Cause, Journal, Trial
from .sight import Sight, see
from .state import TrialEnd, TrialVerdict

# As many seconds as kexec-confirm can count.
MAX_DEADLINE = 65535

TRIAL_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["armed", "committed", "rolled_back"]},
    "run": {"type": "str"},
    "flavour": {"type": "str"},
    "deadline": {"type": "int", "default": 600},
    "cold_proof": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "keep": {"type": "int", "default": store.KEPT_SLOTS},
    "cause": {"type": "str", "choices": list(journal.CAUSES)},
    "text": {"type": "str", "default": ""},
}
TRIAL_REQUIRED_IF = [("state", "armed", ["run"]), ("state", "committed", ["run"])]


@dataclass(frozen=True)
class TrialWish:
    """The user's options."""

    state: t.Literal["armed", "committed", "rolled_back"] | None = None
    run: str | None = None
    flavour: str | None = None
    deadline: int = 600
    cold_proof: bool = False
    force: bool = False
    keep: int = store.KEPT_SLOTS
    cause: Cause | None = None
    text: str = ""


def wish_of(params: t.Mapping[str, t.Any]) -> TrialWish:
    """The user's options as a value."""
    wish = TrialWish(**{name: params[name] for name in TRIAL_ARGUMENTS})
    if wish.run is not None and not journal.RUN_ID.fullmatch(wish.run):
        raise plans.options_invalid(
            f"run is {wish.run!r} and must be letters, digits, dots, dashes and underscores, at "
            "most 64 of them"
        )
    if not 1 <= wish.deadline <= MAX_DEADLINE:
        raise plans.options_invalid(
            f"deadline is {wish.deadline} and must be between 1 and {MAX_DEADLINE}"
        )
    slots.check_keep(wish.keep)
    return replace(wish, text=journal.cut(wish.text))


def ensure(
    host: Host,
    wish: TrialWish,
    *,
    check_mode: bool,
    now: t.Callable[[], float],
    sleep: t.Callable[[float], None],
) -> dict[str, t.Any]:
    """Bring the trial into the state that the user named, or tell how far it is."""
    if wish.state is None:
        return {"changed": False, **_facts(host, wish)}
    if wish.state == "committed" and not check_mode:
        _await_checks(host, str(wish.run), sleep)
    work = _Work(host, wish, check_mode=check_mode, now=now)
    try:
        with contextlib.nullcontext() if check_mode else _held(host, wish):
            return work.do()
    except OSError as error:
        raise change.not_held(error) from error


def _await_checks(host: Host, run: str, sleep: t.Callable[[float], None]) -> None:
    """Before the lock is taken, for nobody else has to wait for that."""
    trial = journal.read(host).trial
    if trial is not None and trial.run == run:
        guard.wait(host, run, trial.deadline, sleep)


@contextlib.contextmanager
def _held(host: Host, wish: TrialWish) -> t.Iterator[None]:
    """Hold the lock of the host, which nobody needs to roll back: a journal is replaced as a whole."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(run_directory(host))
        except BlockingIOError:
            if wish.state != "rolled_back":
                raise
        yield


class _Work:
    """The steps of a trial; each can be done again after a power cut."""

    def __init__(
        self, host: Host, wish: TrialWish, *, check_mode: bool, now: t.Callable[[], float]
    ) -> None:
        self._host = host
        self._wish = wish
        self._check_mode = check_mode
        self._now = now
        # Whoever rolls back before anything was done for it needs no boot loader that is understood.
        self._sight = see(
            host,
            wish.flavour,
            with_slots=wish.state == "armed",
            with_menus=wish.state != "rolled_back",
        )
        self._before = self._known = self._sight.known
        self._seen = self._sight.seen
        # Whether more than the journal has changed.
        self._touched = False

    def do(self) -> dict[str, t.Any]:
        image = None
        if self._wish.state == "armed":
            image = self._arm()
        elif self._wish.state == "committed":
            self._commit()
        else:
            self._roll_back()
        sight = replace(self._sight, known=self._known, seen=self._seen)
        changed = self._touched or self._known != self._before
        diff = _difference(self._before, self._known)
        told = {"changed": changed, "diff": diff, **facts(sight)}
        return told if image is None else {**told, "image": image}

    def _judge(self) -> TrialVerdict:
        return state.judge(self._known, self._seen)

    def _keep(self, known: Journal) -> None:
        if known != self._known and not self._check_mode:
            journal.write(self._host, known)
        self._known = known

    def _record(self, verdict: TrialVerdict) -> None:
        self._keep(state.recorded(self._known, verdict, self._seen, int(self._now())))

    # --- Arm ---

    def _arm(self) -> dict[str, t.Any] | None:
        """What the trial's kernel is loaded with, None where there is none to be tried."""
        self._end_what_is_over()
        trial, verdict = self._known.trial, self._judge()
        if trial is not None and trial.is_open and verdict.state != "armed":
            if trial.run != self._wish.run:
                raise refusals.of_another(trial, verdict)
            return None
        if verdict.next == "reboot":
            raise refusals.stray(verdict)
        situation = self._situation()
        candidate = self._sight.candidate
        if candidate is None:
            self._drop_armed()
            return None
        self._check(candidate, situation)
        if not self._is_armed(candidate, situation):
            self._prepare(candidate)
        return image_of(candidate.manifest, self._wish)

    def _end_what_is_over(self) -> None:
        verdict = self._judge()
        if verdict.next == "settle":
            self._settle(TrialEnd(verdict.cause or "unknown", verdict.text))

    def _drop_armed(self) -> None:
        """What was armed is not in /boot any more."""
        trial = self._known.trial
        if trial is not None and trial.step == "armed":
            self._settle(TrialEnd("operator", "Before the trial began, there was nothing to try."))

    def _situation(self) -> Situation:
        """What to fall back to must be there, and what to try be known."""
        found, default = self._sight.situation, self._seen.default
        if found is None or default is None:
            raise refusals.no_slots()
        if not found.is_whole(default):
            raise ReasonError(plans.damaged(found.slot(default) or store.missing(default)))
        hindrance = found.no_candidate or found.unguarded
        if hindrance is not None:
            raise ReasonError(hindrance)
        return found

    def _check(self, candidate: Candidate, situation: Situation) -> None:
        """Everything that can be found wrong is found before anything is touched."""
        if candidate.obstacles:
            raise ReasonError(candidate.obstacles[0])
        refusal = self._known.refusal_of(candidate.id)
        if refusal is not None and not self._wish.force:
            raise journal.build_refused(refusal)
        unable = one_shot.can_once(self._host) if self._wish.cold_proof else None
        if unable is not None:
            raise ReasonError(unable)
        if not situation.is_whole(candidate.id):
            store.check(self._host, candidate)

    def _is_armed(self, candidate: Candidate, situation: Situation) -> bool:
        """Whether this very trial is armed already, whenever that was."""
        trial, wanted = self._known.trial, self._trial_of(candidate)
        same = trial is not None and replace(trial, time=wanted.time) == wanted
        return same and situation.is_whole(candidate.id)

    def _trial_of(self, candidate: Candidate) -> Trial:
        wish = self._wish
        return Trial(
            run=str(wish.run),
            step="armed",
            slot=candidate.id,
            good=str(self._seen.default),
            boot_id=self._seen.boot_id,
            deadline=wish.deadline,
            time=int(self._now()),
            cold_proof=wish.cold_proof,
        )

    def _prepare(self, candidate: Candidate) -> None:
        """The journal comes last: what is armed is all there."""
        if not self._check_mode:
            store.make(self._host, candidate)
            evidence.clear(self._host)
        self._touched = True
        allowed = self._known.allowing(candidate.id)
        self._keep(replace(allowed, trial=self._trial_of(candidate)))

    # --- Commit ---

    def _commit(self) -> None:
        trial = self._known.trial
        if trial is None:
            raise refusals.none_on()
        if trial.run != self._wish.run:
            raise refusals.of_another(trial, self._judge())
        while self._known.trial is not None and self._known.trial.step != "committed":
            verdict = self._judge()
            if verdict.next == "reboot" and verdict.state == "verified":
                return
            self._check_going_on(trial, verdict)
            self._go_on(trial, verdict)

    def _check_going_on(self, trial: Trial, verdict: TrialVerdict) -> None:
        """A trial that is over is on record as that, and one that has not begun is left alone."""
        if verdict.next == "jump":
            raise refusals.not_running(trial)
        self._end_what_is_over()
        if verdict.state == "rolled_back":
            raise refusals.over(trial, verdict)
        objection = None if self._check_mode else guard.objection(self._host, trial.run)
        if objection is not None:
            raise refusals.unchecked(trial, objection, verdict)

    def _go_on(self, trial: Trial, verdict: TrialVerdict) -> None:
        """What is not of the journal comes first, but for the word to the guard, which is for one boot."""
        if self._seen.slot == trial.slot:
            self._tell_guard(trial)
        if verdict.next == "prove":
            self._order_proof(trial)
            self._seen = replace(self._seen, once=trial.slot)
        elif verdict.next == "commit":
            if not self._check_mode:
                slots.make_default(self._host, trial.slot, self._wish.keep)
            self._seen = replace(self._seen, default=trial.slot)
        self._record(verdict)

    def _tell_guard(self, trial: Trial) -> None:
        if self._host.line(notes.VERIFIED) == trial.run or self._check_mode:
            return
        os.makedirs(self._host.real(notes.RUN), mode=0o700, exist_ok=True)
        Writer(self._host).write(notes.VERIFIED, f"{trial.run}\n".encode())

    def _order_proof(self, trial: Trial) -> None:
        """The entry is there for that one boot, and the default stays."""
        if self._check_mode:
            return
        slots.name_for_proof(self._host, trial.slot, self._wish.keep)
        one_shot.once(self._host, trial.slot, check_mode=False)

    # --- Roll back ---

    def _roll_back(self) -> None:
        trial, wish = self._known.trial, self._wish
        if trial is None or trial.step == "rolled_back":
            return
        if wish.run is not None and wish.run != trial.run:
            raise refusals.of_another(trial, self._judge())
        verdict = self._judge()
        if trial.step == "committed":
            raise refusals.over(trial, verdict)
        self._settle(self._ending(trial, verdict))

    def _ending(self, trial: Trial, verdict: TrialVerdict) -> TrialEnd:
        """What is proven comes before what somebody says, and that before what is not known."""
        wish = self._wish
        fault = guard.fault(self._host, trial.run)
        if fault is not None and verdict.next != "settle":
            return TrialEnd("required_check", journal.cut(fault))
        told = TrialEnd(verdict.cause or "operator", verdict.text)
        if verdict.next == "settle" and (wish.cause is None or told.cause in state.PROVEN):
            return told
        return TrialEnd(wish.cause or "operator", wish.text)

    def _settle(self, ending: TrialEnd) -> None:
        """The cause is on record before anything is removed that tells of it."""
        begun = self._known.trial
        self._keep(state.giving_up(self._known, ending))
        trial = self._known.trial
        if trial is None or begun is None:
            return
        # A trial that is only armed is in no menu, unless somebody has put its slot there.
        if trial.slot in self._sight.named and begun.step != "armed":
            self._take_out(trial)
        if not self._check_mode:
            evidence.forget_jump(self._host, trial)
        self._record(self._judge())

    def _take_out(self, trial: Trial) -> None:
        """Neither the default nor an order for one boot is the slot's any more."""
        default = self._seen.default
        good = trial.good if default in (None, trial.slot) else str(default)
        if not self._check_mode:
            one_shot.clear_once(self._host)
            slots.make_default(self._host, good, self._wish.keep)
        self._seen = replace(self._seen, default=good, once=None)


# --- What is told --------------------------------------------------------------------------


def image_of(found: Manifest, wish: TrialWish) -> dict[str, t.Any]:
    """The options of kexec_reboot with which a kernel is tried."""
    initramfs = [store.path_of(found.id, INITRAMFS_FILE)] if INITRAMFS_FILE in found.files else []
    return {
        "kernel": store.path_of(found.id, KERNEL_FILE),
        "initramfs": initramfs,
        "cmdline_source": "explicit",
        "cmdline": found.cmdline,
        "cmdline_append": [
            f"{_cmdline.SLOT_PARAMETER}={found.id}",
            *journal.guard_words(_cmdline.TRIAL_PARAMETER, str(wish.run), wish.deadline),
        ],
    }


def _facts(host: Host, wish: TrialWish) -> dict[str, t.Any]:
    """A look alone fails for nothing; what cannot be told is not "none"."""
    try:
        return facts(see(host, wish.flavour, with_slots=True, with_menus=False))
    except ReasonError as error:
        nothing = dict.fromkeys(FACTS)
        return {**nothing, "refused": [], "reasons": [error.reason.as_dict()]}


FACTS = (
    "state",
    "next",
    "cause",
    "text",
    "run",
    "slot",
    "good",
    "candidate",
    "deadline",
    "cold_proof",
    "boot_id",
)


def facts(sight: Sight) -> dict[str, t.Any]:
    """How far the trial is, under stable names."""
    verdict, trial = state.judge(sight.known, sight.seen), sight.known.trial
    values = (
        verdict.state,
        verdict.next,
        verdict.cause,
        verdict.text,
        trial and trial.run,
        trial and trial.slot,
        sight.seen.default,
        sight.seen.candidate,
        trial and trial.deadline,
        trial and trial.cold_proof,
        sight.seen.boot_id,
    )
    return {
        **dict(zip(FACTS, values)),
        "refused": [each.as_dict() for each in sight.known.refused],
        "reasons": [each.as_dict() for each in sight.reasons],
    }


def _difference(before: Journal, after: Journal) -> dict[str, str]:
    return {
        "before_header": notes.TRIAL,
        "before": before.as_text(),
        "after_header": notes.TRIAL,
        "after": after.as_text(),
    }

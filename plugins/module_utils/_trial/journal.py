# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The journal of trials on a host: the trial that is on or was the last, and the refused builds."""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t
from dataclasses import asdict, dataclass, replace

from .. import _cmdline
from .._bootconfig.slots.entry import is_id
from .._host import notes
from .._host.port import FileProblemError, Host
from .._reasons import ReasonError, reason
from .._write.boot_file import sync_directory
from .._write.files import Writer

# Raised when a key changes its meaning or goes away, not when one is added.
JOURNAL_VERSION = 1
# Only root is to know what a kernel said when it ended.
JOURNAL_MODE = 0o600

# More is not of this collection, and no host is to hold it in memory.
MAX_SIZE = 1 << 18
# What is kept of the words of others.
MAX_TEXT = 2000
# The oldest are forgotten: apk has none of them any more.
MAX_REFUSED = 20

RUN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# How far a trial is, as far as it is on record; that it is on, only what runs can tell.
Step = t.Literal["armed", "verified", "proving", "rolling_back", "committed", "rolled_back"]
STEPS: tuple[Step, ...] = t.get_args(Step)
# Those in which the trial is not over.
OPEN: tuple[Step, ...] = ("armed", "verified", "proving", "rolling_back")

Cause = t.Literal["operator", "required_check", "deadline", "panic", "watchdog", "power", "unknown"]
CAUSES: tuple[Cause, ...] = t.get_args(Cause)
# These say nothing of the build, so that it may be tried again.
INNOCENT: tuple[Cause, ...] = ("operator", "power")


@dataclass(frozen=True)
class Refusal:
    """A build that is not tried again by itself."""

    slot: str
    cause: Cause
    text: str
    # Seconds since 1970 by the host's clock.
    time: int
    run: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        return {**asdict(self), "time": moment(self.time)}

    def __str__(self) -> str:
        said = f": {self.text}" if self.text else ""
        return f"{self.cause} at {moment(self.time)}{said}"


@dataclass(frozen=True)
class Trial:
    """The trial of one build by one run."""

    run: str
    step: Step
    slot: str
    # What firmware boots meanwhile.
    good: str
    # The boot in which the trial was armed, and the one in which its proof was ordered.
    boot_id: str
    deadline: int
    time: int
    cold_proof: bool = False
    proof_boot_id: str | None = None
    # Whether its kernel was seen to run.
    began: bool = False
    cause: Cause | None = None
    text: str = ""

    @property
    def is_open(self) -> bool:
        return self.step in OPEN

    @property
    def guard_of_proof(self) -> tuple[str, ...]:
        """What the boot is told that proves the slot, empty while its entry is there for no such boot."""
        if not self.cold_proof or self.step not in ("verified", "proving"):
            return ()
        return guard_words(_cmdline.PROOF_PARAMETER, self.run, self.deadline)


@dataclass(frozen=True)
class Journal:
    """What a host has on record of trials."""

    trial: Trial | None = None
    refused: tuple[Refusal, ...] = ()

    @property
    def named(self) -> frozenset[str]:
        """The slots that a trial which is not over needs, none of which may be forgotten."""
        trial = self.trial
        return frozenset({trial.slot, trial.good} if trial and trial.is_open else ())

    def refusal_of(self, slot: str) -> Refusal | None:
        return next((each for each in self.refused if each.slot == slot), None)

    def refusing(self, refusal: Refusal) -> Journal:
        """The same with one refusal more, which takes the place of an earlier one of that build."""
        others = self.allowing(refusal.slot).refused
        return replace(self, refused=(*others, refusal)[-MAX_REFUSED:])

    def allowing(self, slot: str) -> Journal:
        """The same without a refusal of that build."""
        return replace(self, refused=tuple(each for each in self.refused if each.slot != slot))

    def as_text(self) -> str:
        trial = None if self.trial is None else asdict(self.trial)
        refused = [asdict(each) for each in self.refused]
        record = {"version": JOURNAL_VERSION, "trial": trial, "refused": refused}
        return json.dumps(record, sort_keys=True, indent=1) + "\n"


def guard_words(parameter: str, run: str, deadline: int) -> tuple[str, ...]:
    """What a boot of a kernel on trial is told, so that its guard knows of which run, and until when."""
    return (f"{parameter}={run}", f"{_cmdline.DEADLINE_PARAMETER}={deadline}")


def moment(seconds: int) -> str:
    """A time as people and other programs read it."""
    found = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def cut(text: str) -> str:
    """What is kept of the words of others: the end, where the fault is."""
    return text if len(text) <= MAX_TEXT else f"[…]{text[3 - MAX_TEXT :]}"


# --- Reading -------------------------------------------------------------------------------


def read(host: Host) -> Journal:
    """The journal, an empty one if there is none. One that is not understood is not empty."""
    try:
        with host.open(notes.TRIAL) as file:
            content = file.read(MAX_SIZE + 1)
    except FileProblemError as problem:
        if problem.problem == "missing" and host.link(notes.TRIAL) is None:
            return Journal()
        raise _not_understood(f"it is {problem.problem}") from problem
    except OSError as error:
        raise _not_understood(f"reading it failed: {error.strerror}") from error
    found = parse(content.decode("utf-8", "replace")) if len(content) <= MAX_SIZE else None
    if found is None:
        raise _not_understood("it is not whole, or of another version")
    return found


def parse(text: str) -> Journal | None:
    """What a text says, None if this collection would not have written it."""
    try:
        record = json.loads(text)
        if _of(int, record["version"]) != JOURNAL_VERSION:
            return None
        trial = None if record["trial"] is None else _trial(record["trial"])
        return Journal(trial, tuple(_refusal(each) for each in _of(list, record["refused"])))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


Parsed = t.TypeVar("Parsed")


def _of(kind: type[Parsed], value: object) -> Parsed:
    """The value, if it is of that very kind; that truth is a number, only Python says."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(value)
    return value


def _slot(value: object) -> str:
    """Content names a slot, so that its name is a build's, too."""
    if not is_id(_of(str, value)):
        raise ValueError(value)
    return t.cast(str, value)


def _one_of(values: t.Sequence[Parsed], value: object) -> Parsed:
    return values[values.index(t.cast(Parsed, value))]


def _number(value: object) -> int:
    """Seconds, of which a time can be made."""
    if not 0 <= _of(int, value) < 1 << 36:
        raise ValueError(value)
    return t.cast(int, value)


def _maybe(read_one: t.Callable[[object], Parsed], value: object) -> Parsed | None:
    return None if value is None else read_one(value)


def _run(value: object) -> str:
    if not RUN_ID.fullmatch(_of(str, value)):
        raise ValueError(value)
    return t.cast(str, value)


def _cause(value: object) -> Cause:
    return _one_of(CAUSES, value)


def _text(value: object) -> str:
    return cut(_of(str, value))


def _trial(found: t.Mapping[str, object]) -> Trial:
    return Trial(
        run=_run(found["run"]),
        step=_one_of(STEPS, found["step"]),
        slot=_slot(found["slot"]),
        good=_slot(found["good"]),
        boot_id=_text(found["boot_id"]),
        deadline=_number(found["deadline"]),
        time=_number(found["time"]),
        cold_proof=_of(bool, found["cold_proof"]),
        proof_boot_id=_maybe(_text, found["proof_boot_id"]),
        began=_of(bool, found["began"]),
        cause=_maybe(_cause, found["cause"]),
        text=_text(found["text"]),
    )


def _refusal(found: t.Mapping[str, object]) -> Refusal:
    return Refusal(
        slot=_slot(found["slot"]),
        cause=_cause(found["cause"]),
        text=_text(found["text"]),
        time=_number(found["time"]),
        run=_maybe(_run, found["run"]),
    )


# --- Writing -------------------------------------------------------------------------------


def write(host: Host, journal: Journal) -> None:
    """Keep the journal; it is on the disk before this returns."""
    folder = host.real(notes.MEMORY)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    sync_directory(os.path.dirname(folder))
    Writer(host).write(notes.TRIAL, journal.as_text().encode(), JOURNAL_MODE)


# --- What there is to say of it ------------------------------------------------------------


def build_refused(refusal: Refusal) -> ReasonError:
    return ReasonError(
        reason(
            "build_refused",
            f"The kernel {refusal.slot} was refused on this host ({refusal}).",
            "Install another build, or set force to true to try this one again.",
        )
    )


def _not_understood(why: str) -> ReasonError:
    return ReasonError(
        reason(
            "trial_not_understood",
            f"Whether a kernel is on trial, or was refused, is in {notes.TRIAL}, and that is not "
            f"understood: {why}.",
            "Reboot through firmware if a kernel may be on trial, and remove that file. Builds "
            "that were refused may be tried again then.",
        )
    )

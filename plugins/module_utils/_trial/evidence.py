# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is left of a trial that ended through firmware: last words, a panic's record, a watchdog."""

from __future__ import annotations

import contextlib
import os
import re
import time

from .. import _cmdline
from .._host import notes
from .._host.port import FileProblemError, Host
from .._jump import note
from .._jump.watchdog import CLASS
from .._write import draft
from .._write.boot_file import sync_directory
from .journal import CAUSES, JOURNAL_MODE, Trial, cut
from .state import TrialEnd

PSTORE = "/sys/fs/pstore"
# The kernel's messages, by whatever keeps them. What could not be unpacked ends in another way.
RECORD = re.compile(r"dmesg-[A-Za-z0-9_]+-[0-9]+", re.ASCII)
# More of a record is not read, and more records are not kept.
MAX_RECORD = 1 << 18
MAX_RECORDS = 32

# The first line of a record says why it was written.
PANIC_RECORD = re.compile("Panic#")
PANIC_LINE = re.compile(r"(?:<\d+>)?(?:\[ *[\d.]+\](?:\[ *[TC]\d+\])? )?(Kernel panic - .*)")

# Of /sys/class/watchdog/*/bootstatus: the card has reset the machine (WDIOF_CARDRESET).
CARD_RESET = 0x20

# What the guard tells is a line; more is not of it.
MAX_WORDS = 1 << 14

NO_JUMP = (
    "No jump out of the boot in which the trial was armed is on record: the host came through "
    "firmware before the trial began."
)
NOTHING_LEFT = (
    "The host came back through firmware, and neither a panic nor a watchdog has left a trace."
)


def ending(host: Host, trial: Trial) -> TrialEnd:
    """What ended a trial that is over, as far as that can be proven."""
    words = last_words(host, trial.run)
    if words is not None and words.cause != "unknown":
        return words
    began = trial.began or words is not None or _has_jumped(host, trial)
    # Kernels of one release cannot be told apart by what they say.
    told_apart = began or _release(trial.slot) != _release(trial.good)
    panic = _panic(host, _release(trial.slot)) if told_apart else None
    if panic is not None:
        return TrialEnd("panic", cut(panic))
    if not began:
        return TrialEnd("power", NO_JUMP)
    if _was_reset(host):
        return TrialEnd("watchdog", "The watchdog has reset the host, and no panic is on record.")
    return words if words is not None and words.text else TrialEnd("unknown", NOTHING_LEFT)


def _release(slot: str) -> str:
    return slot.rpartition("-")[0]


def _read_start(host: Host, path: str, size: int) -> bytes:
    """The start of a file of others, which may be anything, empty if there is none."""
    try:
        with host.open(path) as file:
            return file.read(size)
    except (FileProblemError, OSError):
        return b""


def last_words(host: Host, run: str) -> TrialEnd | None:
    """What the guard of that run's trial told, None if it did not get to that."""
    text = _read_start(host, notes.TRIAL_END, MAX_WORDS).decode("utf-8", "replace")
    said, cause, why = [*text.strip(_cmdline.SPACES).split(" ", 2), "", ""][:3]
    if said != run or cause not in CAUSES:
        return None
    return TrialEnd(CAUSES[CAUSES.index(cause)], cut(why))


def _has_jumped(host: Host, trial: Trial) -> bool:
    """Whether a jump out of the boot of the trial is on record; one not understood may be it."""
    jump = note.read(host)
    return jump is not None and jump.boot_id in (None, trial.boot_id)


def _was_reset(host: Host) -> bool:
    return bool((host.number(f"{CLASS}/bootstatus") or 0) & CARD_RESET)


# --- Records of panics -----------------------------------------------------------------------


def _panic(host: Host, release: str) -> str | None:
    """How a kernel of that release panicked, None if no record tells of that."""
    texts = [content.decode("utf-8", "replace") for content in _records(host).values()]
    found = [_told_of_panic(text, release) for text in texts]
    return next((text for text in found if text is not None), None)


def _records(host: Host) -> dict[str, bytes]:
    names = [name for name in host.names(PSTORE) if RECORD.fullmatch(name)]
    return {name: _read_start(host, f"{PSTORE}/{name}", MAX_RECORD) for name in names[:MAX_RECORDS]}


def _told_of_panic(text: str, release: str) -> str | None:
    if not PANIC_RECORD.match(text) or not _names(text, release):
        return None
    lines = (PANIC_LINE.fullmatch(line) for line in text.splitlines())
    return next((match[1] for match in lines if match), "The kernel panicked.")


def _names(text: str, release: str) -> bool:
    """Whether the release stands there as a whole word: that of one can begin that of another."""
    return re.search(rf"(?<![^ \n]){re.escape(release)}(?![^ \n])", text) is not None


def clear(host: Host) -> None:
    """Move the records away and forget the last words: what is there later is of what comes now.

    A record is copied, and on the disk, before it is taken out of where the kernel looks for room.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(host.real(notes.TRIAL_END))
    records = _records(host)
    if not records:
        return
    folder = host.real(notes.RECORDS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for name, content in records.items():
        kept = os.path.join(folder, f"{moment}-{name}")
        draft.make(kept, [content], like=kept, mode=JOURNAL_MODE)
    sync_directory(folder)
    for name in records:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(host.real(f"{PSTORE}/{name}"))
    _forget_oldest(folder)


def _forget_oldest(folder: str) -> None:
    for name in sorted(os.listdir(folder))[:-MAX_RECORDS]:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))


def forget_jump(host: Host, trial: Trial) -> None:
    """A trial that is settled says nothing against the next jump."""
    if _has_jumped(host, trial):
        with contextlib.suppress(OSError):
            os.unlink(host.real(notes.JUMP))

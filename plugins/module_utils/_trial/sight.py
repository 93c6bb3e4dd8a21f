# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is seen of a host when its trial is judged."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _cmdline
from .._bootconfig.slots import look as menus
from .._bootconfig.slots.look import Menus
from .._host import machine
from .._host.port import Host
from .._reasons import Reason, ReasonError
from .._slot import situation as situations
from .._slot import store
from .._slot.candidate import Candidate
from .._slot.plan import Situation
from . import evidence, journal, refusals
from .journal import Journal, Step
from .state import HostNow, TrialEnd


@dataclass(frozen=True)
class Sight:
    """The journal, and what is seen beside it."""

    known: Journal
    seen: HostNow
    # The slots that any file of the boot loader names.
    named: frozenset[str] = frozenset()
    # All of the slots, where somebody wanted to see that.
    situation: Situation | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def candidate(self) -> Candidate | None:
        """What apk has, where that is another build than the good one."""
        found = self.situation.candidate if self.situation is not None else None
        return found if found is not None and found.id == self.seen.candidate else None


# In these the boot loader's files may have been changed for the trial.
OF_MENUS: tuple[Step, ...] = ("verified", "proving", "rolling_back")


def see(host: Host, flavour: str | None, *, with_slots: bool, with_menus: bool) -> Sight:
    """Read what a trial is judged by; to read all slots takes a while.

    ReasonError where the journal is not understood, the host does not tell its boot, or the boot
    loader is not understood and that matters.
    """
    known = journal.read(host)
    boot_id = machine.valid_boot_id(host.text("/proc/sys/kernel/random/boot_id"))
    if boot_id is None:
        raise refusals.no_boot_id()
    needed = with_menus or (known.trial is not None and known.trial.step in OF_MENUS)
    situation, found, reasons = _menus(host, flavour, with_slots=with_slots, needed=needed)
    words = _cmdline.running_words(host.line("/proc/cmdline") or "")
    seen = HostNow(
        boot_id,
        store.running(host),
        _cmdline.last_value(words, _cmdline.TRIAL_PARAMETER),
        machine.started_by_kexec(host),
        found.default,
        found.once,
        _candidate(situation),
        evidence.ending(host, known.trial) if known.trial else TrialEnd("unknown"),
    )
    return Sight(known, seen, found.named, situation, reasons)


def _menus(
    host: Host, flavour: str | None, *, with_slots: bool, needed: bool
) -> tuple[Situation | None, Menus, tuple[Reason, ...]]:
    try:
        if not with_slots:
            return None, _clear(menus.look(host, flavour)), ()
        situation = situations.see(host, flavour)
        _clear(situation.menus)
    except ReasonError as error:
        if needed:
            raise
        return None, Menus(""), (error.reason,)
    hindered = situation.no_candidate
    return situation, situation.menus, (hindered,) if hindered is not None else ()


def _clear(found: Menus) -> Menus:
    """A default that cannot be told may be any slot."""
    if found.unclear is not None:
        raise refusals.unclear(found.loader, found.unclear)
    return found


def _candidate(situation: Situation | None) -> str | None:
    """Without a good slot there is nothing that a build could be tried against."""
    if situation is None or situation.candidate is None or situation.good is None:
        return None
    name = situation.candidate.id
    return None if name == situation.good else name

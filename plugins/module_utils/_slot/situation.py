# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What there is of slots on a host: read as a whole, before anything is decided."""

from __future__ import annotations

import os
import typing as t

from .._bootconfig.slots import look as menus
from .._bootconfig.slots.look import Menus
from .._host import machine, mounts, notes
from .._host.port import Host
from .._host.slot_places import TREES
from .._reasons import Reason, ReasonError, reason
from .._trial import journal
from .._trial.journal import Journal
from . import candidate, store
from .candidate import Candidate
from .plan import Situation


def see(host: Host, flavour: str | None = None) -> Situation:
    """Read everything; nothing is changed. ReasonError where the boot loader is not understood.

    Without a flavour it is that of the good slot, and without one of these that of apk's entry.
    """
    found = menus.look(host, flavour)
    slots = store.listed(host)
    own = [slot.manifest.flavour for slot in slots if slot.id == found.good and slot.manifest]
    if flavour is None and own:
        flavour = own[0]
        found = menus.look(host, flavour)
    candidate_or_not = _or_reason(lambda: candidate.look(host, found, flavour))
    return _situation(host, found, slots, candidate_or_not)


def see_without_menus(host: Host) -> Situation:
    """What there is where the boot loader is not understood."""
    return _situation(host, Menus(""), store.listed(host), (None, None))


Found = t.TypeVar("Found")


def _or_reason(read: t.Callable[[], Found]) -> tuple[Found | None, Reason | None]:
    try:
        return read(), None
    except ReasonError as error:
        return None, error.reason


def _situation(
    host: Host,
    found: Menus,
    slots: tuple[store.Slot, ...],
    candidate_or_not: tuple[Candidate | None, Reason | None],
) -> Situation:
    journal_or_not: tuple[Journal | None, Reason | None] = _or_reason(lambda: journal.read(host))
    return Situation(
        found,
        slots,
        *candidate_or_not,
        store.running(host),
        *journal_or_not,
        store.parked(host),
        _mounted(host),
        os.path.lexists(host.real(notes.TRIAL)),
        _unguarded(host),
    )


# In the runlevel sysinit: one gives a kernel its modules back, one leaves a kernel that hangs.
GUARDIANS = ("kexec-modules", "kexec-confirm")


def _unguarded(host: Host) -> Reason | None:
    there = machine.services(host, "sysinit")
    lacking = [name for name in GUARDIANS if name not in there]
    if not lacking:
        return None
    return reason(
        "slots_unguarded",
        f"Not in the runlevel sysinit: {', '.join(lacking)}. Without kexec-modules a slot has no modules once "
        "an upgrade has removed them, and without kexec-confirm nothing leaves a kernel on trial that hangs.",
        "Prepare the host with the role kexec_host.",
    )


def _mounted(host: Host) -> str | None:
    tree = f"{TREES}/{host.line('/proc/sys/kernel/osrelease') or ''}"
    places = (tree, f"/usr{tree}")
    return next((point for point in mounts.points(host) if point in places), None)

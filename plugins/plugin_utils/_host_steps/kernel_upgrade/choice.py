# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is done with a host after its packages were upgraded: the least that is needed, and why."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .told import FoundCandidate, SlotsTold

Way = t.Literal["nothing", "trial", "firmware", "foretold"]
ColdWish = t.Literal["first_batch", "always", "never"]

REFUSED_REMEDY = (
    "Leave it to apk to bring another build, or have this one tried once more with "
    "kernel_upgrade_force=true."
)
NO_SLOT = "Firmware boots no slot as yet; what is tried is known once there is one."


@dataclass(frozen=True)
class UpgradeWish:
    """As much of the frozen variables of kernel_upgrade as something is decided by."""

    cold_proof: ColdWish
    force: bool
    deadline: int


@dataclass(frozen=True)
class UpgradeSeen:
    """What is known of a host when it is decided."""

    slots: SlotsTold
    # Why firmware must start the machine anew.
    cold: tuple[str, ...] = ()
    first_batch: bool = True
    check_mode: bool = False


@dataclass(frozen=True)
class Choice:
    """What is done, and why."""

    way: Way
    because: tuple[str, ...] = ()
    # Whether a trial ends with a boot of the slot through firmware before it is the default.
    cold_proof: bool = False
    # Whether firmware must start the machine once the slot is the default, where it has not done so before.
    cold_start: bool = False
    # Why the host keeps a kernel although there is another one.
    reason: Reason | None = None


def choose(wish: UpgradeWish, seen: UpgradeSeen) -> Choice:
    """The least that is needed."""
    candidate = seen.slots.candidate
    if candidate is None or not candidate.differs:
        return _without_a_trial(seen)
    if seen.slots.good is None:
        return Choice("foretold", (NO_SLOT, *seen.cold))
    if candidate.refused is not None and not wish.force:
        return _refused(candidate, str(candidate.refused), seen)
    return _trial(wish, candidate, seen)


def _without_a_trial(seen: UpgradeSeen, reason: Reason | None = None) -> Choice:
    if seen.cold:
        return Choice("firmware", seen.cold, reason=reason)
    return Choice("nothing", reason=reason)


def _refused(candidate: FoundCandidate, why: str, seen: UpgradeSeen) -> Choice:
    """It has failed its trial before; what else is needed is done all the same."""
    message = f"The build {candidate.id} was tried and is not tried again by itself ({why})."
    return _without_a_trial(seen, Reason("build_refused", message, REFUSED_REMEDY, "nothing"))


def _trial(wish: UpgradeWish, candidate: FoundCandidate, seen: UpgradeSeen) -> Choice:
    wanted = wish.cold_proof == "always" or (wish.cold_proof == "first_batch" and seen.first_batch)
    return Choice(
        "foretold" if seen.check_mode else "trial",
        (_differs(candidate, seen.slots.good), *seen.cold),
        cold_proof=wanted or bool(seen.cold),
        cold_start=bool(seen.cold),
    )


def _differs(candidate: FoundCandidate, good: str | None) -> str:
    what = ", ".join(candidate.because) or "its content"
    return f"What apk has ({candidate.id}) differs from what firmware boots ({good}) by {what}."

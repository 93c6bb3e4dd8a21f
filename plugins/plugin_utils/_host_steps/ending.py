# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How far a role around the reboot is with a host, and how it ends there."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, replace

from .._step import handed

# What the last reboot tells of a host as it is now, whichever is told of.
OF_NOW = frozenset({"drained", "unhealthy", "stage"})


@dataclass(frozen=True)
class SoFar:
    """What one step of such a role hands to the next."""

    # What the role has failed by.
    failure: str = ""
    # Whether the host was rebooted, and whether a boot through firmware is missing; None if unknown.
    booted: bool = False
    reboot_required: bool | None = None
    # Whether the role makes that boot now, and what else it has to say of it.
    boots: bool = False
    warning: str = ""
    # What stands against kexec besides.
    left: str = ""
    # What tells the result of a reboot that was there before from one by this role.
    earlier: str = ""
    # The result of the reboot that is told of, where another one may follow; and what the role says besides.
    account: t.Mapping[str, t.Any] = field(default_factory=dict)
    told: t.Mapping[str, t.Any] = field(default_factory=dict)
    # The code of what the role has failed by, where a module of the collection has said one.
    code: str = ""

    @classmethod
    def from_dict(cls, told: t.Mapping[str, t.Any]) -> SoFar:
        """Without what Ansible adds to the result of a task."""
        return handed(cls, told, option="so_far", by="the step before has")

    def as_dict(self) -> dict[str, t.Any]:
        return asdict(self)

    def with_account(self, reboot: object) -> SoFar:
        """With the reboot that the role has made last; of one that follows it is kept what it failed by."""
        own = self._own(reboot)
        kept = {**self.account, "reason": own["reason"]} if own.get("reason") else self.account
        return replace(self, account=kept if self.account else {**own})

    def saying(self, **words: t.Any) -> SoFar:
        return replace(self, told={**self.told, **words})

    def last_word(self, reboot: object) -> dict[str, t.Any]:
        """The result of the role, with that of its reboot: what failed fails here.

        Without a reboot by the role it is only an earlier play, or the host, that has said something of one.
        """
        own = self._own(reboot)
        kept = {name: value for name, value in self.account.items() if name not in {*own} & OF_NOW}
        told = {
            **own,
            **kept,
            **self.told,
            "done": not self.failure,
            "reboot_required": self.reboot_required,
        }
        return {**told, "failed": True, "msg": self.failure} if self.failure else told

    def _own(self, reboot: object) -> t.Mapping[str, t.Any]:
        is_own = self.boots and mark_of(reboot) not in {"", self.earlier}
        return reboot if is_own and isinstance(reboot, t.Mapping) else {}


def mark_of(reboot: object) -> str:
    """What the step that has left a result marks it by; "" of what none has left."""
    found = reboot.get("nonce") if isinstance(reboot, t.Mapping) else None
    return found if isinstance(found, str) else ""

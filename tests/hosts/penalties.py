# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an ssh server counts connections that end without a login."""

from __future__ import annotations

from dataclasses import dataclass

from .script import Penalties


@dataclass
class Ledger:
    """What one source owes; times are those of a monotonic clock."""

    rules: Penalties
    expires: float = 0.0
    enforced: bool = False

    def charge(self, now: float, *, refused: bool = False) -> None:
        """A connection ended without a login, or after one that was refused."""
        penalty = self.rules.refused_login if refused else self.rules.no_login
        owed = max(self.expires, now) + penalty
        self.expires = min(owed, now + self.rules.at_most)
        self.enforced = self.enforced or self.expires - now >= self.rules.enforced_from

    def refuses(self, now: float) -> bool:
        """Whether a new connection is turned away."""
        if now >= self.expires:
            self.enforced = False
        return self.enforced

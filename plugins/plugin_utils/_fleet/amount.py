# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""So many hosts, or such a share of them, as an operator writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"0*([0-9]{1,9})(\s*%)?")


@dataclass(frozen=True)
class Amount:
    """A number of hosts, or a percentage of them."""

    number: int
    is_share: bool

    def of(self, hosts: int) -> int:
        """How many that are; a share is rounded down."""
        return hosts * self.number // 100 if self.is_share else self.number


def amount(given: object) -> Amount | None:
    """None of what is neither."""
    found = _FORM.fullmatch(str(given).strip())
    if found is None or isinstance(given, bool):
        return None
    read = Amount(int(found[1]), is_share=bool(found[2]))
    return None if read.is_share and read.number > 100 else read

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.
"""What a check of the preflight is: what it reads on the host, and what it makes of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._host.port import Host
from ..._reasons import Reason

Found = t.TypeVar("Found")


@dataclass(frozen=True)
class Check(t.Generic[Found]):
    """One question to the host. A new one is a file in this folder and a line in the survey."""

    name: str
    read: t.Callable[[Host], Found]
    judge: t.Callable[[Found], t.Iterable[Reason]]

    def reasons(self, host: Host) -> list[Reason]:
        return list(self.judge(self.read(host)))

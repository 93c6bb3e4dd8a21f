# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the role says of a host, and what one task of kexec_reboot says, as values."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, fields, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from .._parsing.values import prepare
from .._reboot.observation import Method
from .._reboot.spec import Handed
from .memory import Progress

# What only some tasks tell; until another one does it is as it was.
SOMETIMES = ("stage", "reason", "token", "diff", "last_error", "said", "rc", "stdout", "stderr")
# Of these it is not told that there is none.
LEFT_OUT = ("diff", "last_error", "said", "rc", "stdout", "stderr")


@dataclass(frozen=True)
class Pair:
    """What it was before the reboot, and is after it."""

    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Printed:
    """What a command on the host ended with and said."""

    rc: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Rung:
    """A way to reboot that was tried, and the code of what it failed by."""

    method: str
    reason: str | None


@dataclass(frozen=True)
class TakenOver:
    """What an earlier run has left on the host."""

    progress: Progress
    unhealthy: tuple[str, ...]
    drained: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """What is known of a reboot, by the names that are documented for kexec_reboot."""

    changed: bool = False
    rebooted: bool | None = False
    method: Method | None = None
    stage: str | None = None
    reason: Reason | None = None
    reasons: tuple[Reason, ...] = ()
    boot_id: Pair = Pair()
    release: Pair = Pair()
    cmdline: Pair = Pair()
    downtime: float | None = None
    elapsed: float = 0.0
    timings: t.Mapping[str, float] = field(default_factory=dict)
    token: str | None = None
    diff: t.Mapping[str, t.Any] | None = None
    last_error: str | None = None
    said: Printed | None = None
    rc: int | None = None
    stdout: str | None = None
    stderr: str | None = None

    @property
    def code(self) -> str | None:
        return None if self.reason is None else self.reason.code


@prepare
@dataclass(frozen=True)
class Attempt(Account):
    """What one task of kexec_reboot came to."""

    failed: bool = False
    # Where it only ordered the reboot.
    order: Handed | None = None


@dataclass(frozen=True)
class RebootResult(Account):
    """What the role says of a host."""

    stage: str | None = "preflight"
    drained: tuple[str, ...] = ()
    unhealthy: tuple[str, ...] = ()
    rungs: tuple[Rung, ...] = ()
    taken_over: TakenOver | None = None

    def after(self, attempt: Attempt) -> RebootResult:
        """With what a task came to."""
        said = {each.name: getattr(attempt, each.name) for each in fields(Account)}
        told = {
            name: said[name] for name in said if said[name] is not None or name not in SOMETIMES
        }
        return replace(self, **told)

    def as_dict(self) -> dict[str, t.Any]:
        """As tasks return it."""
        told = asdict(self)
        return {name: told[name] for name in told if told[name] is not None or name not in LEFT_OUT}

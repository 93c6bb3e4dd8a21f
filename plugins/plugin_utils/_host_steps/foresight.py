# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether a host may be upgraded: what the preflight says, asked as its reboot will be."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, blocking

from .._parsing.answer import Answer
from .._step import handed
from . import asking
from .asking import Asking, StepArguments, StepResult, refuse

NOT_UPGRADED = "The host was not upgraded."
# Of a jump that hung nobody knows yet whether it was that of a trial, which is settled first.
SETTLED_LATER = ("kexec_hung",)


@dataclass(frozen=True)
class HealthTimes:
    """How long it may take until a host is found to be well."""

    timeout: float
    stable_seconds: float


@dataclass(frozen=True)
class RebootArguments:
    """What is of use here of the variables of the reboot."""

    ignore_reasons: tuple[str, ...]
    denied_platforms: tuple[str, ...]
    # Seconds that a host may take until it is back.
    reboot_timeout: float
    health: HealthTimes | None = None


@dataclass(frozen=True)
class NotedPlan:
    arguments: RebootArguments


@dataclass(frozen=True)
class NotedRun:
    plan: NotedPlan
    id: str = ""


@dataclass(frozen=True)
class Noted:
    """As much as is of use of what the role fast_reboot has noted."""

    run: NotedRun

    @classmethod
    def from_dict(cls, given: t.Mapping[str, t.Any]) -> Noted:
        return handed(cls, given, option="noted", by="the entry point note has")


class Foresight:
    """What the preflight of one host says."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def foresee(self, given: StepArguments) -> StepResult:
        """Leave a host alone that must not be rebooted, or not in the way that is needed."""
        self.ask(given, NOT_UPGRADED, "reboot", *given["needs"])
        return {}

    def ask(self, given: StepArguments, refusal: str, *levels: Blocks) -> Answer:
        """The answer of a host against which nothing stands at these levels."""
        arguments = Noted.from_dict(given["noted"]).run.plan.arguments
        options = {
            "ignore_reasons": [*arguments.ignore_reasons],
            "denied_platforms": [*arguments.denied_platforms],
        }
        answer = self._asking.answer(options, "reasons", "reboot_needed")
        standing = blocking(answer.reasons or (), *levels)
        found = asking.sentences(each for each in standing if each.code not in SETTLED_LATER)
        refuse(f"{refusal} {found}" if found else "")
        return answer

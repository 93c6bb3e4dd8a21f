# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of the role rolling_upgrade: whether a host may be upgraded, and whether it reboots then."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import blocking

from ..._parsing.answer import Answer
from ..._step import handed
from .. import asking
from ..asking import Asking, StepArguments, StepResult, refuse

NOT_UPGRADED = "The host was not upgraded."
UPGRADED = "The host was upgraded and must not be rebooted now."


@dataclass(frozen=True)
class RebootArguments:
    """What the preflight is asked with of the variables of the reboot."""

    ignore_reasons: tuple[str, ...]
    denied_platforms: tuple[str, ...]


@dataclass(frozen=True)
class NotedPlan:
    arguments: RebootArguments


@dataclass(frozen=True)
class NotedRun:
    plan: NotedPlan


@dataclass(frozen=True)
class Noted:
    """As much as is of use of what the role fast_reboot has noted."""

    run: NotedRun


@dataclass(frozen=True)
class Upgrade:
    """As much as is of use of the frozen variables of rolling_upgrade."""

    reboot: t.Literal["auto", "always", "never"]


class UpgradingSteps:
    """What is decided of one host."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def foresee(self, given: StepArguments) -> StepResult:
        """Leave a host alone that must not be rebooted."""
        self._ask(given, NOT_UPGRADED)
        return {}

    def decide(self, given: StepArguments) -> StepResult:
        """Whether an upgraded host reboots; keep one up that could not boot again."""
        answer = self._ask(given, UPGRADED)
        wish = handed(Upgrade, given["wanted"], option="wanted", by="freeze_variables has").reboot
        reboots = wish == "always" or (wish == "auto" and answer.reboot_needed is True)
        return {"reboots": reboots, "warning": left_to_do(answer) if wish == "never" else ""}

    def _ask(self, given: StepArguments, refusal: str) -> Answer:
        noted = handed(Noted, given["noted"], option="noted", by="the entry point note has")
        options = {name: [*words] for name, words in vars(noted.run.plan.arguments).items()}
        answer = self._asking.answer(options, "reasons", "reboot_needed")
        found = asking.sentences(blocking(answer.reasons or (), "reboot"))
        refuse(f"{refusal} {found}" if found else "")
        return answer


def left_to_do(answer: Answer) -> str:
    """What is said of a reboot that is left to somebody else; "" where none is needed."""
    if not answer.reboot_needed:
        return ""
    return " ".join([*answer.reboot_needed_because, "The host was not rebooted."])

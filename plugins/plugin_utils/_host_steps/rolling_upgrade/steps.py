# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of the role rolling_upgrade: what was upgraded, and whether the host reboots then."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._parsing.answer import Answer
from ..._step import handed
from ..asking import StepArguments, StepResult
from ..foresight import Foresight

UPGRADED = "The host was upgraded and must not be rebooted now."


@dataclass(frozen=True)
class Upgrade:
    """As much as is of use of the frozen variables of rolling_upgrade."""

    reboot: t.Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Transaction:
    """What a task has told of apk; one that was skipped tells nothing."""

    changed: bool = False
    packages: tuple[str, ...] = ()


class UpgradingSteps:
    """What is decided of one host."""

    def __init__(self, foresight: Foresight) -> None:
        self._foresight = foresight

    def upgraded(self, given: StepArguments) -> StepResult:
        """What apk has changed, whichever task has asked it to."""
        found = [
            handed(Transaction, each, option="upgrades", by="community.general.apk has")
            for each in given["upgrades"]
        ]
        changed = [each for each in found if each.changed]
        names = dict.fromkeys(name for each in changed for name in each.packages)
        return {"upgraded": bool(changed), "packages": [*names]}

    def decide(self, given: StepArguments) -> StepResult:
        """Whether an upgraded host reboots; keep one up that could not boot again."""
        answer = self._foresight.ask(given, UPGRADED, "reboot")
        wish = handed(Upgrade, given["wanted"], option="wanted", by="freeze_variables has").reboot
        reboots = wish == "always" or (wish == "auto" and answer.reboot_needed is True)
        return {"reboots": reboots, "warning": left_to_do(answer) if wish == "never" else ""}


def left_to_do(answer: Answer) -> str:
    """What is said of a reboot that is left to somebody else; "" where none is needed."""
    if not answer.reboot_needed:
        return ""
    return " ".join([*answer.reboot_needed_because, "The host was not rebooted."])

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The steps of the role rolling_upgrade: whether a host may be upgraded, and whether it reboots then."""

from __future__ import annotations

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import blocking

from .. import _asking
from .._answer import Answer
from .._asking import Asking, StepArguments, StepResult, refuse

# What the preflight is asked with of the variables of the reboot.
OPTIONS_OF_REBOOT = ("ignore_reasons", "denied_platforms")

NOT_UPGRADED = "The host was not upgraded."
UPGRADED = "The host was upgraded and must not be rebooted now."


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
        wish = given["wanted"].get("reboot")
        reboots = wish == "always" or (wish == "auto" and answer.reboot_needed is True)
        return {"reboots": reboots, "warning": left_to_do(answer) if wish == "never" else ""}

    def _ask(self, given: StepArguments, refusal: str) -> Answer:
        arguments = given["noted"]["run"]["plan"]["arguments"]
        options = {name: arguments[name] for name in OPTIONS_OF_REBOOT}
        answer = self._asking.answer(options, "reasons", "reboot_needed")
        found = _asking.sentences(blocking(answer.reasons or (), "reboot"))
        refuse(f"{refusal} {found}" if found else "")
        return answer


def left_to_do(answer: Answer) -> str:
    """What is said of a reboot that is left to somebody else; "" where none is needed."""
    if not answer.reboot_needed:
        return ""
    return " ".join([*answer.reboot_needed_because, "The host was not rebooted."])

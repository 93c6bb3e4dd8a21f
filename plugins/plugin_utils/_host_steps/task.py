# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""One task of a role around the reboot for one host: its arguments, and its result."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._fast_reboot import rescued
from .._step import StepError, within_its_time
from .._variables.speakers import Variables
from .._variables.turns import ANY as ANY_TURNS
from .._variables.turns import Turns
from .asking import Asking, StepArguments, StepResult
from .ending import SoFar, mark_of
from .foresight import Foresight
from .kernel_upgrade.steps import KernelSteps
from .kexec_host.steps import PreparingSteps
from .rolling_upgrade.steps import UpgradingSteps

HostStep = t.Callable[[StepArguments], t.Mapping[str, t.Any]]

KERNEL_STEPS = (
    *("in_time", "earlier", "choose", "armed", "jump", "tried", "proof", "committed"),
    *("take_back", "leave", "taken_back", "stuck"),
)
HOST_STEPS = (
    *("turn", "begin", "look", "broke", "end"),
    *("able", "lead", "restore", "as_before", "must_boot", "booted", "verify"),
    *("foresee", "upgraded", "decide"),
    *KERNEL_STEPS,
)
# What other tasks have returned.
DICTIONARIES = (
    *("wanted", "so_far", "reboot_command", "kept", "compared", "verified", "noted"),
    *("upgraded", "slots", "found"),
)
HOST_STEP_SPEC: dict[str, dict[str, t.Any]] = {
    "step": {"type": "str", "required": True, "choices": [*HOST_STEPS]},
    "mark": {"type": "str", "default": ""},
    **{name: {"type": "dict", "default": {}} for name in DICTIONARIES},
    "reboot": {"type": "raw", "default": {}},
    "boots": {"type": "bool", "default": False},
    "follows": {"type": "bool", "default": False},
    "waited": {"type": "bool", "default": False},
    "needs": {"type": "list", "elements": "str", "choices": ["kexec"], "default": []},
    "upgrades": {"type": "list", "elements": "dict", "default": []},
}


class HostTask:
    """One step, with the variables of the host and what can be asked of it."""

    def __init__(
        self, variables: Variables, asking: Asking, turns: Turns = ANY_TURNS, *, check_mode: bool
    ) -> None:
        self._variables = variables
        self._turns = turns
        self._asking = asking
        self._check_mode = check_mode

    def step(self, given: StepArguments) -> StepResult:
        try:
            with within_its_time():
                return {**self._steps()[given["step"]](given)}
        except StepError as error:
            raise StepError(error.message, error.remedy, **{**error.told, **_kept(given)}) from None

    def _steps(self) -> dict[str, HostStep]:
        preparing = PreparingSteps(self._asking, check_mode=self._check_mode)
        foresight = Foresight(self._asking)
        upgrading = UpgradingSteps(foresight)
        kernel = KernelSteps(self._variables, check_mode=self._check_mode)
        return {
            "turn": self._turn,
            "begin": self._begin,
            "look": lambda _given: self._asking.result({}),
            "broke": self._broke,
            "end": lambda given: _so_far(given).last_word(given["reboot"]),
            "able": preparing.able,
            "lead": preparing.lead,
            "restore": preparing.restore,
            "as_before": preparing.as_before,
            "must_boot": preparing.must_boot,
            "booted": preparing.booted,
            "verify": preparing.verify,
            "foresee": foresight.foresee,
            "upgraded": upgrading.upgraded,
            "decide": upgrading.decide,
            **{name: getattr(kernel, name) for name in KERNEL_STEPS},
        }

    def _turn(self, _given: StepArguments) -> StepResult:
        self._turns.refuse_out_of_turn(self._variables)
        return {}

    def _begin(self, given: StepArguments) -> StepResult:
        self._turns.refuse_out_of_turn(self._variables)
        return SoFar(earlier=mark_of(given["reboot"]), boots=given["boots"]).as_dict()

    def _broke(self, given: StepArguments) -> StepResult:
        """What the role has failed by, for its last task and for the table of the playbook."""
        so_far = _so_far(given).with_account(given["reboot"])
        variables = self._variables
        failure, code = rescued.message(variables), rescued.code(variables)
        return replace(so_far, failure=failure, code=code).as_dict()


def _so_far(given: StepArguments) -> SoFar:
    return SoFar.from_dict(given["so_far"])


def _kept(given: StepArguments) -> StepResult:
    """What a step leaves that fails, for whoever looks there for what is known so far."""
    if not given["so_far"]:
        return {}
    so_far = _so_far(given)
    return replace(so_far, booted=so_far.booted or given["step"] == "booted").as_dict()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of rolling_upgrade: before an upgrade, and after it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.asking import Asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.foresight import (
    Foresight,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.rolling_upgrade import (
    steps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.rolling_upgrade.steps import (
    UpgradingSteps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import Answer
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

ARGUMENTS = {
    "ignore_reasons": ["kexec_hung"],
    "denied_platforms": [],
    "reboot_timeout": 600,
    "method": "kexec",
}
NOTED = {"run": {"plan": {"arguments": ARGUMENTS}}}
BROKEN = {"code": "kernel_missing", "message": "Gone.", "remedy": "Install.", "blocks": "reboot"}
LOCKED = {"code": "kexec_locked", "message": "Locked.", "remedy": "Reboot.", "blocks": "kexec"}


class UpgradedHost:
    """One that answers the preflight."""

    def __init__(
        self, *reasons: dict[str, str], needed: t.Any = False, because: t.Any = ()
    ) -> None:
        facts = {"reboot_needed": needed, "reboot_needed_because": list(because)}
        self._answer = {"reasons": list(reasons), "facts": facts}
        self.asked: list[dict[str, t.Any]] = []

    @property
    def foresight(self) -> Foresight:
        return Foresight(Asking(self._run, None))

    @property
    def steps(self) -> UpgradingSteps:
        return UpgradingSteps(self.foresight)

    def _run(self, _name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        self.asked.append(options)
        return self._answer


def given(reboot: str = "auto") -> dict[str, t.Any]:
    return {"wanted": {"packages": [], "reboot": reboot}, "noted": NOTED}


@pytest.mark.parametrize("reboot", ["auto", "always", "never"])
def test_host_that_could_not_boot_again_stays_up(reboot: str) -> None:
    with pytest.raises(StepError) as caught:
        UpgradedHost(LOCKED, BROKEN).steps.decide(given(reboot))
    said = "The host was upgraded and must not be rebooted now. Gone. Install."
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("upgrades", "told"),
    [
        ([], (False, [])),
        (
            [{"changed": False, "skipped": True}, {"changed": False, "packages": ["musl"]}],
            (False, []),
        ),
        (
            [{"changed": True, "packages": ["musl", "linux-virt", "musl"]}, {"skipped": True}],
            (True, ["musl", "linux-virt"]),
        ),
        # apk does not say which in check mode.
        ([{"changed": True}], (True, [])),
    ],
)
def test_what_apk_has_changed_is_told_once(upgrades: t.Any, told: t.Any) -> None:
    found = UpgradedHost().steps.upgraded({"upgrades": upgrades})
    assert (found["upgraded"], found["packages"]) == told


def test_packages_of_another_form_are_refused() -> None:
    with pytest.raises(StepError, match="The option upgrades"):
        UpgradedHost().steps.upgraded({"upgrades": [{"changed": True, "packages": "musl"}]})


@pytest.mark.parametrize("needed", [None, "yes", 1])
def test_host_that_does_not_say_whether_it_needs_a_reboot_is_refused(needed: t.Any) -> None:
    with pytest.raises(StepError, match="its reboot_needed is"):
        UpgradedHost(needed=needed).steps.decide(given("always"))


@pytest.mark.parametrize(
    ("reboot", "needed", "reboots"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("always", True, True),
        ("always", False, True),
        ("never", True, False),
        ("never", False, False),
    ],
)
def test_host_reboots_as_it_is_wanted(reboot: str, needed: bool, reboots: bool) -> None:
    found = UpgradedHost(needed=needed, because=["Another kernel."]).steps.decide(given(reboot))
    said = "Another kernel. The host was not rebooted." if reboot == "never" and needed else ""
    assert found == {"reboots": reboots, "warning": said}


@pytest.mark.parametrize(
    ("needed", "because", "said"),
    [
        (False, ("Another kernel.",), ""),
        (None, (), ""),
        (True, (), "The host was not rebooted."),
        (True, ("One.", "Two."), "One. Two. The host was not rebooted."),
    ],
)
def test_reboot_that_is_left_to_do_is_told_with_its_cause(
    needed: bool | None, because: tuple[str, ...], said: str
) -> None:
    answer = Answer(reboot_needed=needed, reboot_needed_because=because)
    assert steps.left_to_do(answer) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({**given(), "noted": {}}, "The option noted", id="nothing was noted"),
        pytest.param(
            {**given(), "noted": {"run": {"plan": {"arguments": {"ignore_reasons": []}}}}},
            "lacks some of denied_platforms",
            id="less",
        ),
        pytest.param(
            {
                **given(),
                "noted": {"run": {"plan": {"arguments": {**ARGUMENTS, "ignore_reasons": "all"}}}},
            },
            "ignore_reasons is of another form",
            id="another form",
        ),
        pytest.param(given(reboot="perhaps"), "The option wanted", id="a wish that is none"),
    ],
)
def test_what_is_handed_on_is_read_once_and_refused_where_it_is_none(
    arguments: dict[str, t.Any], said: str
) -> None:
    with pytest.raises(StepError, match=r"Hand on what .* returned\.") as caught:
        UpgradedHost().steps.decide(arguments)
    assert said in str(caught.value)

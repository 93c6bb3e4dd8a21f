# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight as a step asks it, and what of an answer is no answer."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps import asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.asking import Asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing import unanswered
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
WELL: dict[str, t.Any] = {"reasons": [], "facts": {"reboot_needed": False}}


class Host:
    """Answers any module alike, and notes what it was asked."""

    def __init__(self, answer: dict[str, t.Any]) -> None:
        self.asked: list[tuple[str, dict[str, t.Any]]] = []
        self._answer = answer

    def run(self, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        self.asked.append((name, options))
        return self._answer

    def asking(self, boot_id: str | None = BOOT_ID) -> Asking:
        return Asking(self.run, boot_id)


@pytest.mark.parametrize(
    ("boot_id", "known"), [(BOOT_ID, {"controller_boot_id": BOOT_ID}), (None, {})]
)
def test_host_that_is_to_be_rebooted_is_asked_whether_it_is_the_controller(
    boot_id: str | None, known: dict[str, str]
) -> None:
    host = Host(WELL)
    found = host.asking(boot_id).answer({"ignore_reasons": ["kexec_hung"]}, "reasons")
    assert (found.reasons, found.reboot_needed) == ((), False)
    assert host.asked == [(unanswered.PREFLIGHT, {"ignore_reasons": ["kexec_hung"], **known})]


def test_controller_may_be_made_able_as_any_host() -> None:
    host = Host(WELL)
    host.asking().answer_of_any("reasons")
    assert host.asked == [(unanswered.PREFLIGHT, {})]


def test_result_is_what_the_module_returned_without_facts_that_a_host_adds() -> None:
    host = Host({**WELL, "able": "yes", "ansible_facts": {"audit_strict": True}})
    assert host.asking().result({}) == {**WELL, "able": "yes"}


@pytest.mark.parametrize(
    ("answer", "needed", "said"),
    [
        pytest.param({}, ["reasons"], "its reasons is None", id="nothing"),
        pytest.param({"reasons": "none"}, ["reasons"], "its reasons is 'none'", id="another form"),
        pytest.param(
            {"reasons": [], "facts": {"reboot_needed": 1}},
            ["reasons", "reboot_needed"],
            "its reboot_needed is 1",
            id="another type",
        ),
    ],
)
def test_answer_that_cannot_be_used_is_refused(
    answer: dict[str, t.Any], needed: list[str], said: str
) -> None:
    with pytest.raises(StepError) as caught:
        Host(answer).asking().answer({}, *needed)
    assert said in str(caught.value)
    assert "Ask it once more" in str(caught.value)


@pytest.mark.parametrize("unreachable", [{}, {"unreachable": True}])
def test_of_a_module_that_fails_only_its_message_is_handed_on(unreachable: dict[str, bool]) -> None:
    said = {"failed_when_result": False, "reboots": True, "module_stderr": "sh: not found"}
    result = {"failed": True, "msg": "No Python.", **unreachable, **said}
    with pytest.raises(StepError, match=r"No Python\. .* -vvv") as caught:
        Host(result).asking().answer_of_any("reasons")
    assert caught.value.as_result() == {
        **unreachable,
        "failed": True,
        "msg": str(caught.value),
    }


def test_only_what_is_said_against_a_host_refuses_it() -> None:
    asking.refuse("")
    with pytest.raises(StepError, match="It is locked"):
        asking.refuse("It is locked.")


def test_reasons_are_told_each_with_its_remedy() -> None:
    reasons = [Reason(each, f"{each} is so.", f"Mend {each}.", "kexec") for each in ("a", "b")]
    assert asking.sentences(reasons) == "a is so. Mend a. b is so. Mend b."
    assert asking.sentences([]) == ""

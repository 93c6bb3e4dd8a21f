# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of kexec_host: from what tasks have found to what the next ones do."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.asking import Asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.ending import SoFar
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host.steps import (
    PreparingSteps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from .test_kept import told
from .test_preparation import DEFAULTS

BUSYBOX = {"stat": {"exists": True, "lnk_target": "/bin/busybox"}}
OURS = {"stat": {"exists": True, "lnk_target": "kexec-reboot"}}
HARD = {"path": "/etc/sysctl.d/99-hard.conf", "line": 3, "value": "1"}


def reason(code: str, blocks: str = "kexec") -> dict[str, str]:
    return {"code": code, "message": f"{code} is so.", "remedy": f"Mend {code}.", "blocks": blocks}


def answer(*reasons: dict[str, str], **facts: t.Any) -> dict[str, t.Any]:
    return {"reasons": list(reasons), "facts": {"lock_settings": [], **facts}}


def steps(said: dict[str, t.Any] | None = None, *, check_mode: bool = False) -> PreparingSteps:
    asking = Asking(lambda _name, _options: said or answer(), None)
    return PreparingSteps(asking, check_mode=check_mode)


def given(**values: t.Any) -> dict[str, t.Any]:
    """The options of a step, where only some are set."""
    wanted = {**DEFAULTS, **values.pop("wanted", {})}
    options = ("so_far", "kept", "slots", "compared", "verified")
    empty: dict[str, t.Any] = {key: {} for key in options}
    return {**empty, "wanted": wanted, "reboot_command": BUSYBOX, "mark": "# ours: ", **values}


# --- Before something is changed ------------------------------------------------------------


def test_host_that_can_be_made_able_is_told_what_is_set_on_it() -> None:
    found = steps(answer(reason("kexec_locked"))).able(given())
    assert found == {
        "parameters": [{"name": "kexec_load_disabled", "value": "0"}],
        "edits": [],
        "warning": "",
    }


@pytest.mark.parametrize("remove", [True, False])
def test_lines_that_lock_are_edited_or_told(remove: bool) -> None:
    said = answer(lock_settings=[HARD])
    found = steps(said).able(given(wanted={"remove_lock": remove}))
    assert [each["path"] for each in found["edits"]] == ([HARD["path"]] if remove else [])
    assert (HARD["path"] in found["warning"]) is not remove


def test_host_that_never_can_is_refused_with_all_that_is_against_it() -> None:
    said = answer(reason("container", "reboot"), reason("kexec_locked"), reason("lockdown"))
    with pytest.raises(StepError) as caught:
        steps(said).able(given())
    assert str(caught.value) == "container is so. Mend container. lockdown is so. Mend lockdown."


def test_command_of_somebody_else_is_not_replaced() -> None:
    other = {"stat": {"lnk_target": "/usr/bin/other"}}
    every = {"mode": "every_reboot"}
    with pytest.raises(StepError, match="not busybox's"):
        steps().able(given(wanted=every, reboot_command=other))


def test_lines_of_another_form_are_not_touched() -> None:
    said = answer(lock_settings=[HARD, {**HARD, "line": "3"}])
    assert steps(said).able(given(wanted={"remove_lock": True}))["edits"] == []


# --- The command, and what was there before -------------------------------------------------


def test_command_leads_to_where_it_is_wanted() -> None:
    every = given(wanted={"mode": "every_reboot"})
    assert steps().lead(every) == {"leads_to": "kexec-reboot"}
    assert steps().lead(given(reboot_command=OURS, kept=told())) == {"leads_to": "/bin/busybox"}
    assert steps().lead(given()) == {"leads_to": ""}


def test_what_is_brought_back_is_what_the_host_has_kept() -> None:
    found = steps().restore(given(kept=told()))
    assert [each["state"] for each in found["restores"]] == ["present", "absent"]
    assert (found["removes_package"], found["warning"]) == (True, "")


def test_host_that_has_kept_nothing_is_told_of() -> None:
    found = steps().restore(given(kept=told(None)))
    assert (found["restores"], found["removes_package"]) == ([], False)
    assert "The host has not kept what it was like before." in found["warning"]


def test_host_with_slots_keeps_what_gives_them_their_modules() -> None:
    found = {"files": [{"path": "/boot/alpinefleet-kexec/6.18-0-virt-0123456789ab"}]}
    with pytest.raises(StepError) as caught:
        steps().restore(given(kept=told(), slots=found))
    assert "slots of kernels (6.18-0-virt-0123456789ab)" in str(caught.value)
    assert "kernel_slot take them back first" in str(caught.value)


def test_what_is_not_as_it_was_is_to_be_put_back_by_hand() -> None:
    assert steps().as_before(given(compared={"left": []})) == {}
    left = ["The parameter panic was not set and is panic=10.", "kexec-tools was installed."]
    with pytest.raises(StepError) as caught:
        steps().as_before(given(compared={"left": left}))
    assert str(caught.value) == " ".join([*left, "Put it back by hand."])


# --- The one boot ---------------------------------------------------------------------------

LOCKED = answer(reason("kexec_locked"), reason("memory_low"), reason("panic_hangs", "nothing"))


@pytest.mark.parametrize(
    ("allowed", "said", "expected"),
    [
        pytest.param(True, answer(), SoFar(reboot_required=False), id="open"),
        pytest.param(
            True,
            LOCKED,
            SoFar(reboot_required=True, boots=True, left="memory_low is so. Mend memory_low."),
            id="locked",
        ),
        pytest.param(
            False,
            answer(reason("kexec_locked")),
            SoFar(
                reboot_required=True,
                warning="kexec stays locked until the host has rebooted once through firmware. Reboot "
                "it, or run the role again with kexec_host_reboot_allowed set to true.",
            ),
            id="locked, and no boot is allowed",
        ),
    ],
)
def test_boot_is_made_where_it_is_missing_and_allowed(
    allowed: bool, said: dict[str, t.Any], expected: SoFar
) -> None:
    asked = given(wanted={"reboot_allowed": allowed}, so_far={**SoFar().as_dict(), "failed": False})
    assert steps(said).must_boot(asked) == expected.as_dict()


def test_host_that_was_locked_before_boots_once_more_when_all_is_taken_back() -> None:
    absent = {"state": "absent", "reboot_allowed": True}
    said = answer(kexec_load_disabled=False)
    found = steps(said).must_boot(given(wanted=absent, kept=told()))
    assert (found["reboot_required"], found["boots"]) == (True, True)


@pytest.mark.parametrize("check_mode", [True, False])
def test_boot_that_was_only_predicted_is_still_missing(check_mode: bool) -> None:
    before = SoFar(reboot_required=True, boots=True, left="memory_low is so.").as_dict()
    found = steps(answer(reason("kexec_locked")), check_mode=check_mode).booted(
        given(so_far=before)
    )
    assert (found["booted"], found["reboot_required"]) == (True, check_mode)
    # The lock is in the way after a boot that should have opened it.
    assert found["left"] == ("" if check_mode else "kexec_locked is so. Mend kexec_locked.")


# --- The end --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "verified", "said"),
    [
        ("", {"rc": 0}, ""),
        ("It is locked. Reboot.", {"rc": 0}, "It is locked. Reboot."),
        ("", {"rc": 1, "stderr": " * No kernel.\n"}, "No kernel. See to that"),
        ("It is locked. Reboot.", {"rc": 1, "stderr": "No kernel."}, "It is locked. Reboot."),
    ],
)
def test_host_is_able_where_nothing_is_left_and_the_service_finds_an_image(
    left: str, verified: dict[str, t.Any], said: str
) -> None:
    asked = given(so_far=SoFar(left=left).as_dict(), verified=verified)
    if not said:
        assert steps().verify(asked) == {}
        return
    with pytest.raises(StepError) as caught:
        steps().verify(asked)
    assert said in str(caught.value)

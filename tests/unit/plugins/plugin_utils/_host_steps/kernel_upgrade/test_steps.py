# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of kernel_upgrade: from what tasks have found to what is next."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.boot import Boot
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.ending import SoFar
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade import (
    steps,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kernel_upgrade.steps import (
    KernelSteps,
    is_first_batch,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from ..test_task import step as step_of_action
from .test_told import UNSUPPORTED

WANTED = {"cold_proof": "first_batch", "force": False, "deadline": 600, "slots": "present"}
IMAGE = {
    "kernel": "/boot/alpinefleet-kexec/new/linux",
    "initramfs": ["/boot/alpinefleet-kexec/new/initrd"],
    "cmdline_source": "explicit",
    "cmdline": "quiet",
    "cmdline_append": ["alpinefleet_kexec.slot=new"],
}
CANDIDATE = {"id": "new", "differs": True, "because": ["the kernel"], "refused": None}
SLOTS: dict[str, t.Any] = {"good": "old", "previous": None, "candidate": CANDIDATE, "reasons": []}
BROKEN = {
    "code": "initramfs_missing",
    "message": "Gone.",
    "remedy": "Make it.",
    "blocks": "nothing",
}
NOTED = {
    "run": {
        "id": "5f2b",
        "plan": {
            "arguments": {
                "ignore_reasons": [],
                "denied_platforms": [],
                "reboot_timeout": 300.0,
                "health": {"timeout": 120.0, "stable_seconds": 30.0},
            }
        },
    }
}
REBOOT = {
    "method": "kexec",
    "release": {"before": "6.18.38-0-virt", "after": "6.18.56-0-virt"},
    "reason": None,
    "nonce": "9f2c",
}
SO_FAR = SoFar(boots=True).as_dict()
FAILED = SoFar("The host is not well.", boots=True, account=REBOOT).as_dict()


def step(name: str, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
    variables = given.pop("variables", {})
    work = getattr(KernelSteps(variables, check_mode=check_mode), name)
    defaults: dict[str, t.Any] = {
        "wanted": WANTED,
        "noted": NOTED,
        "so_far": SO_FAR,
        "found": {},
        "follows": False,
        "waited": False,
    }
    return t.cast("dict[str, t.Any]", work({**defaults, **given}))


@pytest.mark.parametrize(
    ("state", "following", "way", "back", "cause"),
    [
        ("none", "nothing", "", "", "operator"),
        ("none", "arm", "", "", "operator"),
        ("none", "reboot", "boot_good", "boot_good", ""),
        ("armed", "jump", "", "go_back", "operator"),
        ("on_trial", "judge", "finish", "go_back", "operator"),
        ("verified", "prove", "finish", "go_back", "operator"),
        ("verified", "commit", "finish", "go_back", "operator"),
        ("verified", "finish", "finish", "go_back", "operator"),
        ("verified", "reboot", "finish", "go_back", "operator"),
        ("rolled_back", "settle", "go_back", "go_back", ""),
        ("rolled_back", "reboot", "boot_good", "boot_good", ""),
        ("committed", "nothing", "", "", "operator"),
        ("refused", "nothing", "", "", "operator"),
    ],
)
def test_trial_of_an_earlier_run_is_seen_to_first(
    state: str, following: str, way: str, back: str, cause: str
) -> None:
    found = step("earlier", found={"state": state, "next": following})
    assert found == {"way": way, "back": back, "cause": cause}


def test_host_of_which_no_trial_can_be_told_is_left_as_it_is() -> None:
    with pytest.raises(StepError, match=r"could not be told\. Gone\. Make it\."):
        step("earlier", found={"state": None, "reasons": [BROKEN]})


def test_choice_is_told_and_kept_for_the_result() -> None:
    packages = {"upgraded": True, "packages": ["linux-virt", "amd-ucode"]}
    found = step("choose", slots=SLOTS, upgraded=packages)
    told = SoFar.from_dict(found).told
    assert (told["way"], told["cold_proof"], told["good"]) == ("trial", True, "old")
    # A reboot has a reason of its own, which this must not hide.
    assert "reason" not in told
    assert found["words"].startswith("What apk has (new) differs from what firmware boots (old)")
    assert "(amd-ucode)" in found["words"]


def test_build_that_is_refused_is_in_the_result() -> None:
    refused = {"cause": "panic", "text": "Oops", "time": "2026-01-02T03:04:05Z"}
    candidate = {**CANDIDATE, "refused": refused}
    found = step("choose", slots={**SLOTS, "candidate": candidate}, upgraded={})
    last = SoFar.from_dict(found).last_word({})
    assert (last["done"], last["way"], last["reason"]["code"]) == (True, "nothing", "build_refused")


def test_host_of_which_apk_has_no_kernel_is_failed() -> None:
    slots = {**SLOTS, "candidate": None, "reasons": [BROKEN]}
    with pytest.raises(StepError, match=r"no kernel that could be tried\. Gone\. Make it\."):
        step("choose", slots=slots, upgraded={})
    assert step("choose", slots=slots, upgraded={}, check_mode=True)["told"]["way"] == "nothing"


@pytest.mark.parametrize(
    ("hosts", "batch", "is_first"),
    [
        (["a", "b", "c"], ["a"], True),
        (["a", "b", "c"], ["b", "c"], False),
        (["a"], ["a"], True),
        (None, None, True),
    ],
)
def test_first_batch_has_the_first_host(hosts: t.Any, batch: t.Any, is_first: bool) -> None:
    variables = {"ansible_play_hosts_all": hosts, "ansible_play_batch": batch}
    assert is_first_batch(variables) is is_first


# --- The trial ------------------------------------------------------------------------------


def test_trial_that_is_armed_is_gone_on_with() -> None:
    found = step("armed", found={"state": "armed", "next": "jump", "image": IMAGE})
    assert (found["again"], found["words"]) == (False, "")


@pytest.mark.parametrize("cold_proof", ["first_batch", "never"])
def test_trial_is_armed_without_a_proof_that_cannot_be_had(cold_proof: str) -> None:
    refused = {"msg": "No. Set never.", "stage": "preflight", "reasons": [UNSUPPORTED]}
    so_far = SoFar(boots=True).saying(cold_proof=True, cold_start=True).as_dict()
    wanted = {**WANTED, "cold_proof": cold_proof}
    found = step("armed", found=refused, so_far=so_far, wanted=wanted)
    assert (found["again"], found["told"]["cold_proof"]) == (True, False)
    assert "cannot boot a kernel once" in found["words"]


@pytest.mark.parametrize(
    "told",
    [
        {"msg": "Refused.", "stage": "preflight", "reasons": []},
        {"msg": "Refused.", "stage": "preflight", "reasons": [UNSUPPORTED]},
        {"msg": "Refused.", "state": "on_trial", "stage": "preflight"},
    ],
)
def test_trial_that_is_refused_fails_with_the_words_of_the_module(told: t.Any) -> None:
    with pytest.raises(StepError, match=r"Refused\."):
        step("armed", found=told, wanted={**WANTED, "cold_proof": "always"})


def test_trial_is_a_jump_that_holds_the_host_and_lasts_until_its_guard_is_done() -> None:
    boot = parse(Boot, step("jump", found={"state": "armed", "image": IMAGE})["boot"])
    assert (boot.method, boot.follows, boot.holds, boot.more_seconds) == (
        "kexec",
        False,
        True,
        600.0,
    )
    assert boot.image is not None
    assert (boot.image.kernel, boot.image.cmdline) == (IMAGE["kernel"], "quiet")


def test_trial_of_nothing_is_refused() -> None:
    with pytest.raises(StepError, match="No trial is armed, it is none"):
        step("jump", found={"state": "none", "next": "nothing"})


def test_reboot_of_the_trial_is_the_one_that_is_told_of() -> None:
    so_far = SoFar.from_dict(step("tried", reboot=REBOOT))
    assert so_far.account == REBOOT
    # Another one follows for its proof.
    assert so_far.last_word({**REBOOT, "method": "firmware", "nonce": "1"})["method"] == "kexec"


def test_host_that_came_up_by_itself_has_not_tried_the_kernel() -> None:
    with pytest.raises(StepError, match="but through firmware"):
        step("tried", reboot={**REBOOT, "method": "firmware"})


def test_slot_is_proven_by_a_boot_of_what_firmware_was_told() -> None:
    slots = {"slots": [{"id": "old", "kernel": "/old"}, {"id": "new", "kernel": "/new"}]}
    verified = {"state": "verified", "next": "reboot", "slot": "new"}
    boot = parse(Boot, step("proof", found=verified, slots=slots, follows=True)["boot"])
    assert (boot.method, boot.follows, boot.holds) == ("firmware", True, True)
    # It may be away until its guard has taken it back.
    assert boot.more_seconds == WANTED["deadline"]
    # Another release than that of the default may come up.
    assert boot.image is not None
    assert (boot.image.kernel, boot.image.initramfs, boot.image.cmdline) == ("/new", (), None)


def test_slot_that_is_gone_is_not_proven() -> None:
    verified = {"state": "verified", "next": "reboot", "slot": "new"}
    with pytest.raises(StepError, match="The slot new is to be proven, and it is not there"):
        step("proof", found=verified, slots={"slots": []})


@pytest.mark.parametrize(
    ("told", "starts"),
    [
        ({"cold_start": True, "cold_proof": False}, True),
        ({"cold_start": True, "cold_proof": True}, False),
        ({"cold_start": False, "cold_proof": False}, False),
        # One of an earlier run, about which nothing was chosen.
        ({}, False),
    ],
)
def test_slot_that_is_kept_is_what_firmware_boots(told: dict[str, bool], starts: bool) -> None:
    so_far = SoFar(boots=True).saying(good="old", **told).as_dict()
    kept = {"state": "committed", "next": "nothing", "good": "new"}
    found = step("committed", found=kept, so_far=so_far)
    assert (found["told"]["good"], found["told"]["previous"]) == ("new", "old")
    assert found["starts_cold"] is starts


def test_slot_that_is_not_kept_fails_the_role() -> None:
    verified = {"state": "verified", "next": "reboot"}
    with pytest.raises(StepError, match="the trial is verified, and next is reboot"):
        step("committed", found=verified)
    # It was only foretold.
    step("committed", found=verified, check_mode=True)
    with pytest.raises(StepError, match="did not answer when it was to keep it"):
        step("committed", found={"unreachable": True, "msg": "timed out"})


# --- The way back ---------------------------------------------------------------------------


def test_trial_is_taken_back_by_what_the_reboot_failed_by() -> None:
    reason = {"code": "unhealthy", "message": "x", "remedy": "y", "blocks": "reboot"}
    found = step(
        "take_back",
        found={"state": "on_trial", "next": "judge"},
        so_far=FAILED,
        reboot={**REBOOT, "reason": reason},
    )
    assert (found["way"], found["cause"]) == ("go_back", "required_check")
    assert found["failure"] == "The host is not well."


@pytest.mark.parametrize(
    ("code", "cause"),
    [("trial_unchecked", "required_check"), ("menu_locked", "operator"), ("", "operator")],
)
def test_trial_is_taken_back_by_what_the_step_after_the_reboot_failed_by(
    code: str, cause: str
) -> None:
    found = step(
        "take_back",
        found={"state": "on_trial", "next": "judge"},
        so_far={**FAILED, "code": code},
        reboot=REBOOT,
    )
    assert (found["way"], found["cause"]) == ("go_back", cause)


def test_host_that_is_lost_is_told_what_brings_it_back() -> None:
    lost = {"unreachable": True, "msg": "timed out"}
    found = step("take_back", found=lost, so_far=FAILED, reboot={}, waited=True)
    assert (found["way"], found["waits"]) == ("", 0)
    assert found["failure"].startswith("The host is not well. Its trial is on, and the host")


@pytest.mark.parametrize(
    ("so_far", "waits"),
    [
        # The deadline of its guard, and the time that it may take to be back.
        (FAILED, 900),
        # It was not up with that kernel: it was waited for as long already.
        (replace(SoFar.from_dict(FAILED), account={}).as_dict(), 0),
    ],
)
def test_host_that_was_up_with_the_kernel_on_trial_is_waited_for_once(
    so_far: dict[str, t.Any], waits: int
) -> None:
    lost = {"unreachable": True, "msg": "timed out"}
    found = step("take_back", found=lost, so_far=so_far, reboot={})
    assert (found["way"], found["waits"]) == ("", waits)
    assert ("does not answer" in found["failure"]) is (waits == 0)


@pytest.mark.parametrize(("following", "boots"), [("reboot", True), ("arm", False)])
def test_kernel_that_is_not_to_run_is_left_without_draining_once_more(
    following: str, boots: bool
) -> None:
    found = step("leave", found={"state": "rolled_back", "next": following})
    boot = parse(Boot, found["boot"])
    assert (found["boots"], boot.method, boot.follows, boot.holds) == (
        boots,
        "firmware",
        True,
        False,
    )


def test_trial_that_failed_is_the_reason_and_the_kernel_the_one_of_before() -> None:
    ended = {
        "state": "rolled_back",
        "next": "nothing",
        "cause": "panic",
        "text": "Kernel panic - not syncing.",
        "slot": "new",
        "good": "old",
    }
    back = {**REBOOT, "release": {"before": "6.18.56-0-virt", "after": "6.18.38-0-virt"}}
    last = SoFar.from_dict(step("taken_back", found=ended, so_far=FAILED, reboot=back)).last_word(
        {}
    )
    assert (last["failed"], last["done"], last["cause"]) == (True, False, "panic")
    assert last["release"] == {"before": "6.18.38-0-virt", "after": "6.18.38-0-virt"}
    assert last["reason"]["code"] == "trial_failed"
    assert last["msg"].startswith(
        "The kernel new was tried and is not kept (panic): firmware boots old. Kernel panic - not syncing. "
    )


@pytest.mark.parametrize("cause", [None, "operator"])
def test_failure_that_is_none_of_the_build_is_told_as_it_was(cause: str | None) -> None:
    ended = {"state": "rolled_back", "next": "nothing", "cause": cause, "text": ""}
    found = step("taken_back", found=ended, so_far=FAILED, reboot={})
    assert found["failure"] == "The host is not well."
    assert "reason" not in found["told"]


def test_way_back_that_fails_is_told_with_what_failed_first() -> None:
    variables = {
        "ansible_failed_task": {"name": "Boot"},
        "ansible_failed_result": {"msg": "No answer."},
    }
    ended = {"state": "rolled_back", "next": "reboot", "cause": "required_check", "text": "Sick."}
    found = step("stuck", so_far=FAILED, variables=variables, found=ended)
    assert found["failure"].startswith(
        "The host is not well. The way back from the kernel that was tried failed, too: The task Boot failed: "
        "No answer."
    )
    assert found["told"]["cause"] == "required_check"
    # It was refused to be taken back.
    refused = step("stuck", so_far=FAILED, variables=variables, found={"msg": "No."})
    assert refused["told"] == {}


# --- Before anything is done ----------------------------------------------------------------


@pytest.mark.parametrize("deadline", [210, 600])
def test_deadline_leaves_time_for_the_health(deadline: int) -> None:
    assert step("in_time", noted=NOTED, wanted={**WANTED, "deadline": deadline}) == {}


def test_deadline_that_would_take_back_what_is_well_is_refused() -> None:
    with pytest.raises(StepError, match="is 209 and must be at least 210"):
        step("in_time", noted=NOTED, wanted={**WANTED, "deadline": 209})


def test_deadline_without_a_health_leaves_time_for_the_rest() -> None:
    arguments = {"ignore_reasons": [], "denied_platforms": [], "reboot_timeout": 600.0}
    noted = {"run": {"plan": {"arguments": arguments}}}
    assert step("in_time", noted=noted, wanted={**WANTED, "deadline": 60}) == {}
    assert steps.SPARE_SECONDS == 60


def test_steps_are_those_of_the_action() -> None:
    told = step_of_action("earlier", found={"state": "on_trial", "next": "judge"})
    assert told["way"] == "finish"

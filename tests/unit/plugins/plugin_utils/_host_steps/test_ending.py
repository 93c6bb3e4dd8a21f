# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role around the reboot hands on, and its last word."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.ending import SoFar
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

REBOOT = {"rebooted": True, "method": "firmware", "done": True, "reason": None, "nonce": "9f2c"}


@pytest.mark.parametrize(
    "so_far",
    [SoFar(), SoFar("It broke.", True, False, True, "Reboot it.", "It is locked.", "9f2c")],
)
def test_value_is_the_same_after_a_task(so_far: SoFar) -> None:
    # Ansible adds some, and a step that failed may have left others out.
    registered = {**so_far.as_dict(), "changed": False, "failed": True, "msg": "x"}
    assert SoFar.from_dict(registered) == so_far
    assert SoFar.from_dict({"msg": "x"}) == SoFar()


@pytest.mark.parametrize(
    ("so_far", "expected"),
    [
        pytest.param(SoFar(), {"done": True, "reboot_required": None}, id="no boot was spoken of"),
        pytest.param(
            SoFar(reboot_required=True),
            {"done": True, "reboot_required": True},
            id="one is missing",
        ),
        pytest.param(
            SoFar(booted=True, reboot_required=False, boots=True),
            {**REBOOT, "done": True, "reboot_required": False},
            id="rebooted",
        ),
        pytest.param(
            SoFar("It broke.", booted=True, reboot_required=False, boots=True),
            {
                **REBOOT,
                "done": False,
                "reboot_required": False,
                "failed": True,
                "msg": "It broke.",
            },
            id="rebooted, and failed",
        ),
        pytest.param(
            SoFar("It did not return.", boots=True),
            {
                **REBOOT,
                "done": False,
                "reboot_required": None,
                "failed": True,
                "msg": "It did not return.",
            },
            id="a reboot that failed",
        ),
        pytest.param(
            SoFar("It broke.", boots=True, earlier="9f2c"),
            {"done": False, "reboot_required": None, "failed": True, "msg": "It broke."},
            id="only one of an earlier play",
        ),
        pytest.param(
            SoFar("It broke."),
            {"done": False, "reboot_required": None, "failed": True, "msg": "It broke."},
            id="failed",
        ),
    ],
)
def test_last_word_has_the_reboot_only_where_there_was_one(
    so_far: SoFar, expected: dict[str, t.Any]
) -> None:
    assert so_far.last_word(REBOOT) == expected


@pytest.mark.parametrize("said", ["said", 7, None, [REBOOT]])
def test_what_a_host_says_of_a_reboot_spoils_no_last_word(said: t.Any) -> None:
    assert SoFar("It broke.").last_word(said)["msg"] == "It broke."
    assert SoFar(boots=True).last_word(said) == {"done": True, "reboot_required": None}


def test_value_of_another_form_is_none() -> None:
    with pytest.raises(
        StepError, match=r"The option so_far .*failure is .* the step before has returned"
    ):
        SoFar.from_dict({"failure": 7})


def test_reboot_that_is_kept_is_told_of_whatever_follows() -> None:
    so_far = SoFar(boots=True).with_account(REBOOT)
    again = so_far.with_account({**REBOOT, "method": "kexec", "nonce": "1"})
    assert again.last_word({**REBOOT, "nonce": "2"})["method"] == "firmware"
    # One of an earlier play, or of nobody, is none.
    assert SoFar(boots=True, earlier="9f2c").with_account(REBOOT).account == {}
    assert SoFar().with_account(REBOOT).account == {}


def test_host_is_as_the_last_reboot_has_left_it() -> None:
    held = {**REBOOT, "method": "kexec", "drained": ["lb"], "stage": None}
    so_far = SoFar(boots=True).with_account(held)
    last = so_far.last_word({**REBOOT, "drained": [], "stage": "undrain", "nonce": "2"})
    assert (last["method"], last["drained"], last["stage"]) == ("kexec", [], "undrain")


def test_reboot_that_is_kept_has_the_reason_of_one_that_failed_later() -> None:
    so_far = SoFar(boots=True).with_account(REBOOT)
    failed = so_far.with_account({**REBOOT, "method": None, "reason": {"code": "unhealthy"}})
    assert (failed.account["method"], failed.account["reason"]) == (
        "firmware",
        {"code": "unhealthy"},
    )
    assert failed.with_account(REBOOT) == failed


def test_words_of_the_role_come_before_those_of_its_reboot() -> None:
    so_far = SoFar("It broke.", boots=True).saying(way="trial", reason=None).saying(reason="x")
    told = so_far.last_word(REBOOT)
    assert (told["way"], told["reason"], told["done"]) == ("trial", "x", False)
    assert SoFar.from_dict(so_far.as_dict()) == so_far

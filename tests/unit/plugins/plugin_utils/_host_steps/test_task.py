# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps as files of tasks call them: with their results, and with what fails."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.asking import Asking
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.ending import SoFar
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.task import (
    HOST_STEP_SPEC,
    HostTask,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

WELL: dict[str, t.Any] = {"reasons": [], "facts": {"reboot_needed": False}}
BROKEN = {"failed": True, "msg": "It is broken.", "booted": "said", "failure": "said"}
WANTED = {
    **dict.fromkeys(("remove_lock", "services", "watchdog", "reboot_allowed"), False),
    "state": "present",
    "panic_timeout": 0,
    "mode": "on_request",
}
REBOOT = {"rebooted": True, "done": True, "nonce": "9f2c"}


def step(name: str, answer: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    """A step with defaults for what it is not given, as Ansible has them."""
    variables = given.pop("variables", {})
    defaults = {key: option.get("default") for key, option in HOST_STEP_SPEC.items()}
    asking = Asking(lambda _name, _options: WELL if answer is None else answer, None)
    task = HostTask(variables, asking, check_mode=False)
    try:
        return task.step({**defaults, "wanted": WANTED, **given, "step": name})
    except StepError as error:
        return error.as_result()


def test_role_begins_with_nothing_known() -> None:
    assert step("begin") == SoFar().as_dict()
    assert step("begin", reboot=REBOOT) == SoFar(earlier="9f2c").as_dict()


def test_look_returns_what_the_preflight_does() -> None:
    assert step("look", {"able": False, "failed": True}) == {"able": False, "failed": True}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("able", "parameters"),
        ("lead", "leads_to"),
        ("restore", "restores"),
        ("must_boot", "boots"),
        ("booted", "left"),
        ("decide", "reboots"),
    ],
)
def test_step_is_the_one_that_is_meant(name: str, key: str) -> None:
    arguments = {"ignore_reasons": [], "denied_platforms": [], "reboot_timeout": 600.0}
    noted = {"run": {"plan": {"arguments": arguments}}}
    assert key in step(name, noted=noted, wanted={**WANTED, "reboot": "auto"})


@pytest.mark.parametrize("name", ["able", "must_boot", "booted"])
def test_module_that_fails_fails_the_step_with_its_words(name: str) -> None:
    told = step(name, BROKEN)
    assert told["failed"] is True
    assert told["msg"].startswith("The preflight could not run on the host: It is broken. ")


@pytest.mark.parametrize("name", ["must_boot", "booted"])
def test_step_that_fails_forgets_nothing_and_believes_no_host_about_it(name: str) -> None:
    so_far = SoFar(reboot_required=True, boots=True)
    told = step(name, BROKEN, so_far=so_far.as_dict())
    found = SoFar.from_dict(told)
    assert (found.reboot_required, found.failure) == (True, "")
    # The host was rebooted, whatever came afterwards.
    assert found.booted is (name == "booted")


class TaskTimeoutError(BaseException):
    """What Ansible ends a task by."""


@pytest.mark.parametrize("name", ["must_boot", "booted"])
def test_step_that_ansible_ends_forgets_nothing(name: str) -> None:
    so_far = SoFar(reboot_required=True, boots=True)

    def hang(_name: str, _options: t.Any) -> t.NoReturn:
        raise TaskTimeoutError("Timed out after 5 second(s).")

    defaults = {key: option.get("default") for key, option in HOST_STEP_SPEC.items()}
    task = HostTask({}, Asking(hang, None), check_mode=False)
    given = {**defaults, "wanted": WANTED, "so_far": so_far.as_dict(), "step": name}
    with pytest.raises(StepError, match="Ansible ended the task") as caught:
        task.step(given)
    found = SoFar.from_dict(caught.value.as_result())
    assert (found.boots, found.reboot_required, found.booted) == (True, True, name == "booted")


def test_what_is_refused_fails_the_step() -> None:
    told = step("verify", so_far=SoFar(left="It is locked. Reboot.").as_dict())
    assert (told["failed"], told["msg"]) == (True, "It is locked. Reboot.")
    assert SoFar.from_dict(told).left == "It is locked. Reboot."


def test_failure_is_kept_for_the_last_task() -> None:
    variables = {
        "ansible_failed_task": {"name": "A"},
        "ansible_failed_result": {"msg": "No space.", "reasons": [{"code": "no_space"}]},
    }
    before = {**SoFar(booted=True).as_dict(), "failed": True, "msg": "No space."}
    told = step("broke", so_far=before, variables=variables)
    assert SoFar.from_dict(told).booted
    assert (told["failure"], told["code"]) == ("No space.", "no_space")


@pytest.mark.parametrize(
    ("so_far", "failed", "rebooted"),
    [
        (SoFar(), False, False),
        (SoFar(booted=True, boots=True), False, True),
        (SoFar("No space."), True, False),
        (SoFar("No space.", booted=True, boots=True), True, True),
    ],
)
def test_last_task_fails_where_the_role_has_failed(
    so_far: SoFar, failed: bool, rebooted: bool
) -> None:
    told = step("end", so_far=so_far.as_dict(), reboot=REBOOT)
    assert (told.get("failed", False), told["done"], "rebooted" in told) == (
        failed,
        not failed,
        rebooted,
    )
    assert told.get("msg") == (so_far.failure or None)

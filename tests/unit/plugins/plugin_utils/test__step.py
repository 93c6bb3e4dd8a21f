# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step that fails returns, and how it is asked."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.executor import task_executor
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import (
    EndedError,
    StepError,
    arguments,
    is_timeout,
    moment,
    outcome,
    told,
    within_its_time,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import speakers


def test_failure_has_reason_and_remedy_and_what_was_known() -> None:
    error = StepError("It is locked.", "Unlock it.", drained=["lb"])
    assert error.as_result() == {
        "failed": True,
        "msg": "It is locked. Unlock it.",
        "drained": ["lb"],
    }


def test_failure_that_has_a_cause_says_where_that_was() -> None:
    error = StepError("No.", "Do.")
    error.__cause__ = KeyError("x")
    assert error.as_result()["exception"].strip() == "KeyError: 'x'"


def test_what_is_told_cannot_be_said_by_a_host() -> None:
    result = {"remembered": None, "msg": "\x1b[2J"}
    first, second = told(result), told(result)
    assert first["nonce"] != second["nonce"]
    assert (first["remembered"], first["msg"]) == (None, "\\x1b[2J")
    # So a fact that is the same as a variable is no chance.
    for variables in ({"a": first, "ansible_facts": {"a": second}}, {"a": first}):
        assert speakers.own(variables, "a") == first


@pytest.mark.parametrize(
    "result", [None, 7, {}, {"nonce": 7}, {"nonce": "9f2c41d0"}, {"nonce": "1-2"}, {"nonce": "x"}]
)
def test_what_no_step_has_told_has_no_moment(result: t.Any) -> None:
    assert moment(result) is None


def test_options_are_validated_by_ansible() -> None:
    spec: dict[str, dict[str, t.Any]] = {"step": {"type": "str"}}

    def validate(given: t.Any) -> tuple[None, dict[str, t.Any]]:
        assert given is spec
        return None, {"step": "a"}

    action: t.Any = SimpleNamespace(validate_argument_spec=validate)
    assert arguments(action, spec) == {"step": "a"}


def test_options_that_are_none_are_refused() -> None:
    def refuse(_given: t.Any) -> t.NoReturn:
        raise AnsibleActionFail("step is unknown")

    action: t.Any = SimpleNamespace(validate_argument_spec=refuse)
    with pytest.raises(StepError, match="cannot be used: step is unknown"):
        arguments(action, {})


def test_outcome_is_what_was_carried_out_or_why_it_was_not() -> None:
    action: t.Any = SimpleNamespace(validate_argument_spec=lambda given: (None, given))

    def fail(given: t.Any) -> t.NoReturn:
        raise StepError("It is locked.", "Unlock it.", seen=given["step"])

    done = outcome(action, {"step": {}}, lambda given: {"seen": given["step"]})
    assert (done["seen"], "failed" in done) == ({}, False)
    failed = outcome(action, {"step": {}}, fail)
    assert (failed["seen"], failed["failed"], failed["msg"]) == (
        {},
        True,
        "It is locked. Unlock it.",
    )
    assert (moment(done) or 0) < (moment(failed) or 0)


def ended() -> type[BaseException]:
    """What this ansible-core ends a task by."""
    module = getattr(task_executor, "_task_timeout", task_executor)
    return t.cast("type[BaseException]", module.TaskTimeoutError)


class TaskTimeoutError(BaseException):
    """As an ansible-core of another place may have it."""


class OfThatKindError(TaskTimeoutError):
    """As one may name it."""


class NeverError(BaseException):
    """What ends a task by other means."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(ended()(5), True, id="of this ansible-core"),
        pytest.param(TaskTimeoutError("Timed out."), True, id="of another place"),
        pytest.param(OfThatKindError("Timed out."), True, id="of that kind"),
        pytest.param(TimeoutError("a socket"), False, id="of the system"),
        pytest.param(KeyboardInterrupt(), False, id="of the user"),
        pytest.param(NeverError(), False, id="another one"),
    ],
)
def test_timeout_of_a_task_is_known_wherever_ansible_has_it(
    error: BaseException, expected: bool
) -> None:
    assert is_timeout(error) is expected
    with pytest.raises(EndedError if expected else type(error)) as caught, within_its_time():
        raise error
    assert not expected or "on its way: Timed out" in str(caught.value)


def test_step_that_is_ended_by_ansible_says_so() -> None:
    action: t.Any = SimpleNamespace(validate_argument_spec=lambda given: (None, given))

    def hang(_given: t.Any) -> t.NoReturn:
        raise TaskTimeoutError("Timed out after 5 second(s).")

    failed = outcome(action, {}, hang)
    assert failed["failed"]
    assert failed["msg"].startswith("Ansible ended the task on its way: Timed out after 5 second")

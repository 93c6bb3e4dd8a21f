# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""How a step of a role or a playbook is asked, and how it fails."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
import traceback
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable

from ._parsing.values import FormError, Value, parse

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

NONCE = re.compile(r"([0-9a-f]{1,16})-[0-9a-f]{16}")
# What Ansible ends a task by.
TIMEOUTS = ("TaskTimeoutError", "AnsibleTimeoutError")
MORE_TIME = (
    "Give the task more time, by the keyword timeout or the setting task_timeout, or leave both out: each "
    "step has an end of its own."
)


class StepError(Exception):
    """Why a step does not come to its end, and what to do about it."""

    def __init__(self, message: str, remedy: str, /, **told: t.Any) -> None:
        super().__init__(f"{message} {remedy}".rstrip())
        self.message = message
        self.remedy = remedy
        # What else the task tells, for the tasks after it.
        self.told = told

    def as_result(self) -> dict[str, t.Any]:
        """What the task returns, with where a defect is for whom Ansible shows tracebacks to."""
        cause = self.__cause__
        where = {} if cause is None else {"exception": "".join(traceback.format_exception(cause))}
        return {**self.told, **where, "failed": True, "msg": str(self)}


class EndedError(StepError):
    """Ansible has ended the step, by the keyword "timeout" of its task or by the setting task_timeout."""

    def __init__(self, said: str) -> None:
        super().__init__(f"Ansible ended the task on its way: {said.rstrip('.')}.", MORE_TIME)
        self.said = said


def is_timeout(error: BaseException) -> bool:
    """Whether Ansible ends a task by it, wherever this ansible-core has it; it is never an Exception."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return not isinstance(error, Exception) and any(name in TIMEOUTS for name in names)


@contextlib.contextmanager
def within_its_time() -> t.Iterator[None]:
    """Make an error of a step of the timeout that ends it, so that nothing is forgotten on the way."""
    try:
        yield
    except BaseException as error:
        if not is_timeout(error):
            raise
        raise EndedError(str(error)) from None


def told(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a step leaves for the steps after it.

    The nonce is one that no host is told. So a fact that is the same as what a variable has is where
    that comes from, and not by chance the same as what a step has left. It begins with the moment.
    """
    return {**printable(result), "nonce": f"{time.monotonic_ns():x}-{secrets.token_hex(8)}"}


def moment(result: object) -> int | None:
    """When a step has told its result, by a clock that all tasks of a play share; None of what none has."""
    nonce = result.get("nonce") if isinstance(result, t.Mapping) else None
    found = NONCE.fullmatch(nonce) if isinstance(nonce, str) else None
    return None if found is None else int(found[1], 16)


def arguments(
    action: ActionBase, specification: t.Mapping[str, t.Mapping[str, t.Any]]
) -> dict[str, t.Any]:
    """The options of a step, each in the form that it has."""
    try:
        _validation, found = action.validate_argument_spec(specification)
    except AnsibleActionFail as error:
        raise StepError(
            f"The arguments cannot be used: {error}.",
            "Correct the option that is named; ansible-doc has the options of the module.",
        ) from None
    return t.cast("dict[str, t.Any]", found)


def handed(kind: type[Value], given: object, *, option: str, by: str) -> Value:
    """A value that another task has returned, as an option of a step hands it on."""
    try:
        return parse(kind, given)
    except FormError as error:
        raise StepError(
            f"The option {option} is not what it has to be: {error}.",
            f"Hand on what {by} returned.",
        ) from None


def outcome(
    action: ActionBase,
    specification: t.Mapping[str, t.Mapping[str, t.Any]],
    carry_out: t.Callable[[dict[str, t.Any]], t.Mapping[str, t.Any]],
) -> dict[str, t.Any]:
    """What the task of a step returns, whether it comes to its end or not."""
    try:
        with within_its_time():
            return told(carry_out(arguments(action, specification)))
    except StepError as error:
        return told(error.as_result())

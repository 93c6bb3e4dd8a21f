# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of kexec_reboot, which runs on the controller: it says what comes back."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.modules import kexec_reboot
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.answer import parse
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import (
    failure,
    orders,
    results,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import Order, Proof

RETURN: dict[str, t.Any] = yaml.safe_load(kexec_reboot.RETURN)
COMMON = {"changed", "diff", "failed", "msg"}
PREPARED = parse({"facts": {"running_release": "6.18", "running_cmdline": "quiet"}})
ORDER = Order("kexec", "abc", "old", "6.18", "firmware", "6.18", "web1", None, 4020, "mark")
TIMINGS = {"trigger": 0.1, "shutdown": 2.0, "down": 3.0, "verify": 0.2}


def test_it_has_no_code_of_its_own() -> None:
    assert not hasattr(kexec_reboot, "main")


# --- What is returned when -----------------------------------------------------------------

FOUND = Observation("new", "6.18", "quiet", "52", "", "", 2.5)
ANSWERED = Outcome(126, "", "sh: setsid: not found")
WAITED = {name: seconds for name, seconds in TIMINGS.items() if name != "trigger"}


def waited(timings: t.Mapping[str, float]) -> dict[str, t.Any]:
    return results.proven(ORDER, Proof(FOUND, "kexec", 5.0, timings), PREPARED)


SUCCESSES = {
    "reboot": waited(TIMINGS),
    "wait": waited(WAITED),
    "order": results.ordered(ORDER, PREPARED, acknowledged=True),
    "order, unheard": results.ordered(ORDER, PREPARED, acknowledged=False, unheard=ANSWERED),
    "check mode": results.predicted(ORDER, PREPARED),
    "check mode, order": results.predicted(ORDER, PREPARED, wait=False),
    "check mode, wait": results.not_waited(PREPARED),
}
ERRORS = {
    "local_connection": failure.local_connection(rebooted=False),
    "module_hung": failure.module_hung(600.0),
    "task_timeout": failure.task_timeout("Timed out.", ordered=False),
    "trigger_lost": failure.trigger_lost(acknowledged=True),
    "too_late": failure.too_late(),
    "already_leaving": failure.already_leaving(),
    "image_replaced": failure.image_replaced(),
    "other_host": failure.other_host("web1", FOUND),
    "wrong_method": failure.wrong_method("kexec", "firmware", FOUND),
    "wrong_kernel": failure.wrong_kernel("6.12", "kexec", FOUND),
    "did_not_stay": failure.did_not_stay(5.0, "kexec", FOUND),
    "services_unknown": failure.services_unknown("rc-status ended with 1"),
}
HEARD_LAST = {
    "did_not_go_down": failure.did_not_go_down(600.0, "the host still runs"),
    "did_not_return": failure.did_not_return(600.0, "timeout", gone=True),
    **{kind: refusal("Permission denied") for kind, refusal in failure.REFUSALS.items()},
}
WITH_AN_ANSWER = {
    "trigger_failed": failure.trigger_failed(ANSWERED),
    "test_failed": failure.test_failed("false", ANSWERED, "kexec", FOUND),
    "not_confirmed": failure.not_confirmed(ANSWERED, FOUND),
}
WITHOUT_ONE = {
    "test_failed, unheard": failure.test_failed("false", None, "kexec", FOUND),
    "not_confirmed, unheard": failure.not_confirmed(None, FOUND),
}
CUT_OFF = {
    "task_timeout, ordered": failure.task_timeout(
        "Timed out.",
        ordered=True,
        order=orders.hand_over(ORDER, PREPARED, acknowledged=False),
    )
}
NOT_WELL = {"unhealthy": failure.unhealthy(["service nginx"], 120.0, "kexec", FOUND)}
FAILURES = {**ERRORS, **HEARD_LAST, **WITH_AN_ANSWER, **WITHOUT_ONE, **CUT_OFF, **NOT_WELL}
RESULTS = {
    **SUCCESSES,
    **{kind: results.failed(error, PREPARED) for kind, error in FAILURES.items()},
}

# What the documentation says of when there is a value, and which results have it then.
RETURNED: dict[str, t.Collection[str]] = {
    "always": RESULTS,
    "failure": FAILURES,
    "failure, if O(health) found something": NOT_WELL,
    "failure, if the host was waited for until the deadline, or refused the login": HEARD_LAST,
    "failure, if the order to leave, the test command or the confirmation failed with an answer": (
        WITH_AN_ANSWER
    ),
    "success, with O(wait=false), and if Ansible ended the task after the order": (
        *("order", "order, unheard", "check mode, order"),
        *CUT_OFF,
    ),
    "success, outside check mode, with O(wait=false), if the order was not acknowledged": (
        "order, unheard",
    ),
    "success, outside check mode, with O(wait=true)": ("reboot", "wait"),
    "success, outside check mode, with neither O(wait=false) nor O(wait_for)": ("reboot",),
}


def values(documented: dict[str, t.Any], *above: str) -> t.Iterator[tuple[tuple[str, ...], str]]:
    """Each value that is documented, by its path, and when it is returned."""
    for name, value in documented.items():
        yield (*above, name), value["returned"]
        yield from values(value.get("contains", {}), *above, name)


def has(result: t.Any, path: tuple[str, ...]) -> bool:
    first, *rest = path
    return first in result and (not rest or has(result[first], tuple(rest)))


@pytest.mark.parametrize(
    ("path", "returned"), [pytest.param(*each, id=".".join(each[0])) for each in values(RETURN)]
)
def test_value_is_returned_when_it_is_said_to_be(path: tuple[str, ...], returned: str) -> None:
    assert {kind for kind, result in RESULTS.items() if has(result, path)} == {*RETURNED[returned]}


def test_every_time_at_which_a_value_is_returned_is_one_of_a_value() -> None:
    assert {returned for _path, returned in values(RETURN)} == set(RETURNED)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_every_value_that_is_returned_is_documented(result: dict[str, t.Any]) -> None:
    assert set(result) - COMMON <= set(RETURN)
    for name in ("timings", "boot_id", "release", "cmdline"):
        assert set(result[name]) <= set(RETURN[name]["contains"])


def test_every_kind_of_failure_is_among_them() -> None:
    # Those that are left out choose among others: of a refused login, and of what the preflight says.
    chosen = {"refused", "unfit"}
    made = {name for name, each in vars(failure).items() if is_maker(name, each)} - chosen
    assert {kind.partition(",")[0] for kind in FAILURES} - set(failure.REFUSALS) == made


def is_maker(name: str, each: object) -> bool:
    makes = getattr(each, "__annotations__", {}).get("return")
    return makes == "RebootError" and not name.startswith("_")


# --- What is said of it --------------------------------------------------------------------

AFTER_THE_JUMP = [
    pytest.param(failure.wrong_method("kexec", "firmware", FOUND), "firmware", id="wrong_method"),
    pytest.param(failure.wrong_method("kexec", None, FOUND), None, id="somebody else's image"),
    pytest.param(failure.wrong_kernel("6.12", "kexec", FOUND), "kexec", id="wrong_kernel"),
    pytest.param(failure.test_failed("false", None, "kexec", FOUND), "kexec", id="test_command"),
]


@pytest.mark.parametrize(("error", "method"), AFTER_THE_JUMP)
def test_failure_after_the_jump_has_the_documented_values_of_what_runs(
    error: failure.RebootError, method: str | None
) -> None:
    result = results.failed(error, PREPARED)
    assert (result["rebooted"], result["method"]) == (True, method)
    after = {name: result[name]["after"] for name in ("boot_id", "release", "cmdline")}
    assert after == {"boot_id": "new", "release": "6.18", "cmdline": "quiet"}


def test_token_is_documented_as_null_after_firmware() -> None:
    result = results.proven(ORDER, Proof(FOUND, "firmware", 5.0, TIMINGS), PREPARED)
    assert result["token"] is None
    assert "null" in RETURN["token"]["description"]


def test_stages_are_all_documented_in_their_order() -> None:
    text = " ".join(RETURN["stage"]["description"])
    assert re.findall(r"V\((\w+)\)", text) == list(t.get_args(failure.Stage))


def test_examples_are_tasks_of_this_module() -> None:
    tasks = yaml.safe_load(kexec_reboot.EXAMPLES)
    assert all("alpinefleet.kexec.kexec_reboot" in task and "name" in task for task in tasks)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of a host, after what one task of kexec_reboot has said."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.result import (
    Account,
    Attempt,
    Pair,
    RebootResult,
    TakenOver,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import parse
from ansible_collections.alpinefleet.kexec.tests.unit import reboots

LEFT = TakenOver("drain", (), ("lb",))
KNOWN = RebootResult(
    stage="drain", drained=("lb",), unhealthy=("port 1",), taken_over=LEFT, last_error="timed out"
)


def attempt(told: dict[str, t.Any]) -> Attempt:
    return parse(Attempt, told)


def test_result_of_a_task_is_a_value_with_all_that_it_says() -> None:
    said = {"rc": 126, "stdout": "", "stderr": "not found"}
    found = attempt(
        {**reboots.failure("did_not_return", "down", None), **said, "order": reboots.order()}
    )
    assert (found.failed, found.code, found.stage) == (True, "did_not_return", "down")
    assert (found.rc, found.stderr) == (126, "not found")
    assert found.order is not None
    assert found.order.token == reboots.order()["token"]
    assert attempt(reboots.result()).boot_id == Pair("before", reboots.BOOT_ID)


def test_what_a_task_says_replaces_what_was_known_and_the_role_s_own_stays() -> None:
    after = KNOWN.after(attempt(reboots.result()))
    assert (after.rebooted, after.method, after.downtime) == (True, "kexec", 5.5)
    # A success says nothing of these.
    assert (after.stage, after.reason, after.last_error) == ("drain", None, "timed out")
    assert (after.drained, after.unhealthy, after.taken_over) == (("lb",), ("port 1",), LEFT)
    failed = KNOWN.after(attempt(reboots.failure("other_host", "verify", None)))
    assert (failed.stage, failed.code, failed.rebooted) == ("verify", "other_host", None)


@pytest.mark.parametrize("kind", [Account, RebootResult])
def test_nothing_was_done_to_begin_with(kind: type[Account]) -> None:
    found = kind()
    assert (found.changed, found.rebooted, found.method, found.reason) == (False, False, None, None)


def test_what_there_is_none_of_is_told_as_such_or_left_out() -> None:
    told = json.loads(json.dumps(RebootResult().as_dict()))
    assert (told["reason"], told["taken_over"], told["boot_id"]) == (
        None,
        None,
        {"before": None, "after": None},
    )
    # With the status of a command a task would be a failed one.
    assert not {"rc", "stdout", "stderr", "said", "diff", "last_error"} & told.keys()
    assert KNOWN.as_dict()["last_error"] == "timed out"

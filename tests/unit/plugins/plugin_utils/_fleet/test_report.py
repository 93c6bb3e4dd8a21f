# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the hosts of a play, as a table and as a report."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import report
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.campaign import (
    NO_ANSWER,
    Campaign,
)
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import reason

DONE: dict[str, t.Any] = {
    "done": True,
    "reason": None,
    "method": "kexec",
    "downtime": 5.52,
    "release": {"before": "6.12", "after": "6.18"},
    "drained": [],
}
SICK = {
    **DONE,
    "done": False,
    "drained": ["a", "b"],
    "reason": {**reason("unhealthy"), "message": "Not\n\x1b[2Jwell."},
}
GONE = {**DONE, "done": False, "method": None, "downtime": None, "release": None}
HOSTS = ("web1", "web2", "web3")


def rows(
    left: t.Sequence[str] = HOSTS,
    failures: t.Mapping[str, str] | None = None,
    **results: t.Any,
) -> list[report.Row]:
    return report.rows(Campaign(HOSTS, left, HOSTS, results, failures or {}))


@pytest.mark.parametrize(
    ("result", "is_left", "outcome"),
    [
        (DONE, True, "done"),
        (DONE, False, "done"),
        (SICK, True, "failed"),
        (SICK, False, "failed"),
        (GONE, True, "failed"),
        (GONE, False, "away"),
        (None, True, "waiting"),
        (None, False, "failed"),
        ({"failed": True}, False, "failed"),
        (7, True, "waiting"),
    ],
)
def test_outcome_is_what_is_known_of_a_host(result: t.Any, is_left: bool, outcome: str) -> None:
    (found, *_others) = rows(["web1"] if is_left else [], web1=result)
    assert found.outcome == outcome


def test_host_of_which_a_role_has_said_why_it_failed_is_not_on_its_way() -> None:
    (found, *_others) = rows([], {"web1": "No image."}, web1={"done": False, "reason": None})
    assert (found.outcome, found.message) == ("failed", "No image.")


@pytest.mark.parametrize(
    ("next_file", "is_left", "told"),
    [("power_cycle", False, True), ("power_cycle", True, False), ("", False, False)],
)
def test_host_that_left_the_play_in_its_power_cycle_says_so(
    next_file: str, is_left: bool, told: bool
) -> None:
    lost = {**SICK, "stage": "down", "run": {"next": next_file}}
    (found, *_others) = rows(["web1"] if is_left else [], web1=lost)
    assert (found.outcome, found.drained) == ("failed", ("a", "b"))
    assert str(found.message).endswith("in its power cycle; its last message says why.") is told


@pytest.mark.parametrize(
    ("found", "due"),
    [
        pytest.param(rows(), False, id="nobody had a turn"),
        pytest.param(rows(web1=DONE), False, id="one is done"),
        pytest.param(rows(web1=DONE, web2=DONE, web3=DONE), True, id="all are done"),
        pytest.param(rows(web1=SICK), True, id="one is sick"),
        pytest.param(rows(["web2", "web3"]), True, id="one is lost"),
    ],
)
def test_report_is_due_at_the_end_or_once_something_is_wrong(
    found: list[report.Row], due: bool
) -> None:
    assert report.is_due(found) is due


def test_table_has_a_line_for_each_host_that_was_touched() -> None:
    assert report.table(rows(web1=DONE, web2=SICK)) == [
        "HOST  OUTCOME  METHOD  DOWNTIME  KERNEL BEFORE  AFTER  DRAINED  WRONG",
        "web1  done     kexec   5.5 s     6.12           6.18   -        -",
        "web2  failed   kexec   5.5 s     6.12           6.18   a, b     unhealthy: Not [2Jwell.",
        "",
        "hosts 3: done 1, failed 1, away 0, waiting 1",
    ]


def test_host_that_a_role_around_this_one_refused_has_failed_by_that() -> None:
    (found, *_others) = rows(["web2"], {"web1": "The host was not upgraded."})
    assert (found.outcome, found.message) == ("failed", "The host was not upgraded.")
    assert report.table([found])[1].endswith("  The host was not upgraded.")


def test_hook_that_was_at_work_on_a_host_that_was_lost_may_have_drained_it() -> None:
    cut_off = {**GONE, "drained": ["a"], "stage": "drain", "run": {"hook": "b"}}
    (found, *_others) = rows([], web1=cut_off)
    assert (found.outcome, found.drained) == ("away", ("a", "b"))
    assert found.message == "It left the play at the stage drain; its last message says why."
    (failed, *_others) = rows([], web1={**cut_off, "reason": SICK["reason"]})
    assert failed.drained == ("a",)


def test_host_of_a_batch_that_was_not_begun_with_is_waiting() -> None:
    campaign = Campaign(HOSTS, ["web1"], HOSTS, {"web1": SICK}, {}, {"web2"})
    assert [row.outcome for row in report.rows(campaign)] == ["failed", "waiting", "failed"]


def test_report_for_programs_has_all_hosts() -> None:
    found = json.loads(json.dumps(report.as_dict(rows(["web1", "web3"], web1=SICK, web2=GONE))))
    assert found["summary"] == {"hosts": 3, "done": 0, "failed": 1, "away": 1, "waiting": 1}
    assert [each["host"] for each in found["hosts"]] == [*HOSTS]
    assert found["hosts"][0]["drained"] == ["a", "b"]
    assert (found["hosts"][0]["reason"], found["version"]) == ("unhealthy", report.REPORT_VERSION)


def test_host_that_did_not_answer_is_none_that_waits() -> None:
    play = Campaign(HOSTS, HOSTS, HOSTS, {}, silent={"web2": NO_ANSWER})
    first, second, _third = report.rows(play)
    assert (first.outcome, second.outcome, second.message) == ("waiting", "failed", NO_ANSWER)


def test_host_that_a_role_refused_is_not_done_by_what_it_was_before() -> None:
    # Such as of an earlier play, or of what was gone on with first.
    (found, *_others) = rows(["web2"], {"web1": "The host was not upgraded."}, web1=DONE)
    assert (found.outcome, found.message) == ("failed", "The host was not upgraded.")
    assert report.is_news([found], {"web1"})
    assert report.is_due([found])


def test_host_that_has_still_to_be_rebooted_is_done_and_that_is_said() -> None:
    (found, *_others) = rows(["web2"], web1={**DONE, "reboot_required": True})
    assert (found.outcome, found.message) == ("done", report.BOOT_IS_MISSING)
    assert not report.is_news([found], {"web1"})

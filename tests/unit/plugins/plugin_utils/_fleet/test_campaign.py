# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of a host, and what only the host says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import campaign
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.campaign import RoleResult

DONE = {"done": True}


@pytest.mark.parametrize(
    ("results", "facts", "expected"),
    [
        pytest.param({}, {}, None, id="no result"),
        pytest.param({"web1": DONE}, {"web1": None}, DONE, id="a result"),
        pytest.param({"web1": 7}, {"web1": None}, None, id="something else"),
        pytest.param({"web1": DONE}, {"web1": DONE}, None, id="the host's own word"),
        pytest.param({"web1": DONE}, {"web1": {"done": False}}, DONE, id="a word beside a result"),
    ],
)
def test_host_is_what_the_role_says_of_it(
    results: t.Mapping[str, t.Any], facts: t.Mapping[str, t.Any], expected: t.Any
) -> None:
    of_host: dict[str, t.Any] = {"ansible_facts": {}}
    if "web1" in results:
        of_host["result"] = results["web1"]
    if "web1" in facts:
        of_host["ansible_facts"]["result"] = facts["web1"]
    play = {
        **{name: ["web1"] for name in ("ansible_play_hosts_all", "ansible_play_hosts")},
        "ansible_play_batch": ["web1"],
        "hostvars": {"web1": of_host},
    }
    found = campaign.read(play, "result").result_of("web1")
    assert found == (expected and RoleResult(**expected))


def test_play_is_seen_with_what_each_host_is_said_to_be_and_says() -> None:
    of_hosts = {
        "web1": {"fast_reboot_result": {"done": True}},
        "web2": {
            "__failure": {"failure": "Refused."},
            "__fast_reboot_braked": {"failed": True, "not_well": []},
        },
        "web3": {
            "fast_reboot_result": 7,
            "__failure": {"failure": "said"},
            "ansible_facts": {"fast_reboot_result": 7, "__failure": {"failure": "said"}},
        },
    }
    found = campaign.read(
        {
            "ansible_play_hosts_all": [*of_hosts],
            "ansible_play_hosts": ["web1"],
            "ansible_play_batch": ["web3"],
            "hostvars": of_hosts,
        },
        "fast_reboot_result",
        "__failure",
    )
    assert (found.hosts, found.left, found.batch) == (["web1", "web2", "web3"], ["web1"], ["web3"])
    # The third one says so of itself.
    assert found.results == {"web1": {"done": True}}
    assert found.failures == {"web2": "Refused."}
    assert found.braked == {"web2"}


@pytest.mark.parametrize("left", [7, "said", [], {"failure": ["No space."]}])
def test_what_a_role_has_left_in_another_form_is_a_failure_and_not_nothing(left: t.Any) -> None:
    variables = {
        "ansible_play_hosts_all": ["web1", "web2"],
        "ansible_play_hosts": ["web1", "web2"],
        "ansible_play_batch": ["web1"],
        "hostvars": {"web1": {"__failure": left}, "web2": {}},
    }
    found = campaign.read(variables, "fast_reboot_result", "__failure")
    assert list(found.failures) == ["web1"]
    assert "is not understood" in found.failures["web1"]


def told_at(moment: int, **result: t.Any) -> dict[str, t.Any]:
    """What a step tells at a moment."""
    return {**result, "nonce": f"{moment:x}-{'0' * 16}"}


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        pytest.param(told_at(5, remembered=None), True, id="before"),
        pytest.param(told_at(50, remembered=None), False, id="after"),
        pytest.param(told_at(50, unreachable=True), False, id="after, and it did not answer"),
        pytest.param(None, True, id="nobody asked"),
    ],
)
def test_what_is_older_than_the_question_what_is_left_is_another_playbooks(
    asked: t.Any, known: bool
) -> None:
    of_host = {
        "fast_reboot_result": told_at(10, done=True),
        "__failure": told_at(11, failure="Refused."),
        "__fast_reboot_braked": told_at(12, failed=True),
    }
    variables = {
        **{name: ["web1"] for name in ("ansible_play_hosts_all", "ansible_play_hosts")},
        "ansible_play_batch": ["web1"],
        "hostvars": {
            "web1": of_host if asked is None else {**of_host, "__fast_reboot_asked": asked}
        },
    }
    found = campaign.read(variables, "fast_reboot_result", "__failure")
    assert bool(found.results) is bool(found.failures) is bool(found.braked) is known
    # What it could not tell is of weight again.
    assert bool(found.silent) is ("unreachable" in (asked or {}))

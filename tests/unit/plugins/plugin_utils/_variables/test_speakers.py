# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a play's variables is the operator's, and what a host has said."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import speakers
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.family import Family
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.roles import FAMILIES
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.speakers import (
    SpokenError,
)

MANY = [f"fast_reboot_{number}" for number in range(1000)]


@pytest.mark.parametrize(
    ("facts", "spoken", "pretended"),
    [
        pytest.param({}, [], [], id="nothing"),
        pytest.param({"distribution": "Alpine", "myfast_reboot_x": 1}, [], [], id="what hosts say"),
        pytest.param({"fast_reboot_timeout": 1}, ["fast_reboot_timeout"], [], id="a variable"),
        pytest.param(
            {"__fast_reboot_begun": 1, "fast_reboot_result": 1},
            ["__fast_reboot_begun", "fast_reboot_result"],
            [],
            id="what the role leaves",
        ),
        pytest.param(
            {"rolling_upgrade_packages": 1}, ["rolling_upgrade_packages"], [], id="another role"
        ),
        pytest.param(
            {"prepare_error_budget": 9, "look_after_output": "/x", "__audit_frozen": {}},
            ["__audit_frozen", "look_after_output", "prepare_error_budget"],
            [],
            id="a playbook",
        ),
        pytest.param(
            {"status_output": "/x", "status_page": 1, "__status_noted": {}},
            ["__status_noted", "status_output"],
            [],
            id="a playbook whose prefix is a common word",
        ),
        pytest.param(
            {"inventory_hostname": 1, "group_names": 1},
            ["group_names", "inventory_hostname"],
            ["group_names", "inventory_hostname"],
            id="another host",
        ),
        pytest.param({7: 1, None: 2}, [], [], id="names that are none"),
        pytest.param("no facts", [], [], id="no facts"),
    ],
)
def test_facts_with_names_of_the_operator_are_found(
    facts: t.Any, spoken: list[str], pretended: list[str]
) -> None:
    variables = {"ansible_facts": facts, "fast_reboot_timeout": 600}
    assert (speakers.spoken(variables), speakers.pretended(variables)) == (spoken, pretended)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_no_host_says_a_variable_of_any_role_or_playbook(family: Family) -> None:
    names = {*family.names, f"__{family.prefix}noted"}
    others = {f"{family.prefix}of_somebody_else"} if family.shares_prefix else set()
    said = dict.fromkeys([*names, *others], "said")
    assert set(speakers.spoken({"ansible_facts": said})) == names


def test_play_without_facts_is_no_host_that_spoke() -> None:
    speakers.refuse_a_speaker({})
    speakers.refuse_a_pretender({"ansible_facts": {"fast_reboot_timeout": 1}})


def test_message_about_a_speaker_has_names_and_no_values() -> None:
    facts = {**dict.fromkeys(MANY, "said"), "fast_reboot_\x1b": 1}
    with pytest.raises(SpokenError) as caught:
        speakers.refuse_a_speaker({"ansible_facts": facts})
    assert "fast_reboot_0, " in str(caught.value)
    assert "said" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_message_about_a_pretender_says_what_it_is_for() -> None:
    with pytest.raises(SpokenError, match="inventory_hostname: a task file could take it for"):
        speakers.refuse_a_pretender({"ansible_facts": {"inventory_hostname": "web2"}})


@pytest.mark.parametrize(
    ("value", "said", "expected"),
    [
        pytest.param({"nonce": "1"}, None, True, id="a step has told it"),
        pytest.param({"nonce": "1", "b": 2}, {"b": 2}, True, id="and the host has added to it"),
        pytest.param({"nonce": "1", "b": 2}, {"nonce": "2"}, True, id="and the host has tried"),
        pytest.param({"nonce": "2", "b": 2}, {"nonce": "2"}, False, id="the host has marked it"),
        pytest.param({"b": 2}, {"b": 2}, False, id="the host says so"),
        pytest.param({"b": 2}, None, False, id="another task has left it"),
        pytest.param(7, 7, False, id="no result"),
    ],
)
def test_what_a_step_has_told_is_known_where_hashes_are_merged(
    value: t.Any, said: t.Any, expected: bool
) -> None:
    facts = {} if said is None else {"failed_result": said}
    variables = {"ansible_failed_result": value, "ansible_facts": facts}
    assert speakers.is_told(variables, "ansible_failed_result") is expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"a": 1}, 1, id="a task has left it"),
        pytest.param({"a": 1, "ansible_facts": {"a": 2}}, 1, id="the host says something else"),
        pytest.param({"a": 1, "ansible_facts": {"a": 1}}, None, id="the host says so"),
        pytest.param({"ansible_facts": {"a": 1}}, None, id="nobody has left it"),
        pytest.param({}, None, id="nothing"),
        pytest.param({"a": 1, "ansible_facts": 7}, 1, id="no facts"),
    ],
)
@pytest.mark.parametrize("fact", ["a", "ansible_a"])
def test_variable_is_what_a_task_of_ours_has_left(
    fact: str, variables: dict[str, t.Any], expected: t.Any
) -> None:
    # Ansible hands out each fact with a prefix, and keeps it without.
    named = {
        "ansible_a" if name == "a" and fact == "ansible_a" else name: value
        for name, value in variables.items()
    }
    assert speakers.own(named, fact) == expected

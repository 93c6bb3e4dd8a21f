# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a block of tasks was rescued from, without what is secret."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import rescued
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.flow import Broken

TWO = {"ansible_play_hosts_all": ["web1", "web2"]}
NOT_FOUND = "a file that it includes was not found or cannot be used, as Ansible said of it"


@pytest.mark.parametrize(
    ("task", "result", "expected"),
    [
        pytest.param(
            {"name": "Drain"}, {"msg": "no route"}, Broken("Drain: no route"), id="a task"
        ),
        pytest.param(
            {"name": "Drain"},
            {"msg": "x", "changed": True},
            Broken("Drain: x", changed=True),
            id="that changed something",
        ),
        pytest.param(
            {"name": "Drain"},
            {"msg": "x", "timedout": {"period": 5}},
            Broken("Drain: x", changed=True),
            id="that was cut off",
        ),
        pytest.param(
            {"name": "Reload", "listen": []},
            {"msg": "x"},
            Broken("Reload: x", handler=True),
            id="a handler",
        ),
        pytest.param(
            {"name": "Drain", "no_log": True},
            {"msg": "password"},
            Broken("Drain: its result is hidden"),
            id="a secret",
        ),
        pytest.param({"name": ""}, {}, Broken("a task without a name: it failed"), id="no words"),
        pytest.param(
            None,
            None,
            Broken(
                f"a task without a name: {NOT_FOUND}, or another host ended the play for this one, too"
            ),
            id="no task",
        ),
        pytest.param({"name": "A"}, "said", Broken("A: it failed"), id="no result"),
        pytest.param(
            {"name": "A"},
            {"msg": "non-zero return code", "rc": 1, "stdout": "no route\n"},
            Broken("A: non-zero return code: no route"),
            id="a command",
        ),
    ],
)
def test_what_a_block_is_rescued_from(task: t.Any, result: t.Any, expected: Broken) -> None:
    variables = {"ansible_failed_task": task, "ansible_failed_result": result, **TWO}
    assert rescued.broken(variables) == expected


OURS = {"msg": "It is locked. Unlock it.", "nonce": "9f2c41d0"}
FAILED, REMEDY = "The task Mend failed", rescued.REMEDY
ITEMS = {"msg": "One or more items failed", "results": [{"failed": True, "msg": "no space"}]}
COMMAND = {"msg": "non-zero return code", "rc": 1, "stderr": "checking\nno space\n"}


@pytest.mark.parametrize(
    ("task", "result", "expected"),
    [
        pytest.param({"name": "Mend"}, OURS, "It is locked. Unlock it.", id="a step of ours"),
        pytest.param(
            {"name": "Mend"}, ITEMS, f"{FAILED}: no space. {REMEDY}", id="an item of a loop"
        ),
        pytest.param(
            {"name": "Mend"},
            COMMAND,
            f"{FAILED}: non-zero return code: no space. {REMEDY}",
            id="a command",
        ),
        pytest.param(
            {"name": "Mend", "no_log": "{{ x }}"},
            {"msg": "password"},
            f"{FAILED}: its result is hidden. {REMEDY}",
            id="a secret",
        ),
        pytest.param(
            {"name": "Mend"},
            {},
            f"{FAILED} without a word. {REMEDY}",
            id="no words",
        ),
        pytest.param(
            None,
            None,
            f"A{NOT_FOUND[1:]}, or another host ended the play for this one, too. "
            "See to that, then run the play again.",
            id="no task",
        ),
    ],
)
def test_last_word_of_a_role_is_what_it_failed_by(
    task: t.Any, result: t.Any, expected: str
) -> None:
    variables = {"ansible_failed_task": task, "ansible_failed_result": result, **TWO}
    assert rescued.message(variables) == expected


def test_host_does_not_say_what_a_block_was_rescued_from() -> None:
    task, result = {"name": "Drain", "listen": []}, {"msg": "undrain it", "changed": True}
    variables = {"ansible_failed_task": task, "ansible_failed_result": result}
    said = {**variables, "ansible_facts": {"failed_task": task, "failed_result": result}}
    assert rescued.broken(said) == rescued.broken({})


def test_host_that_is_alone_was_ended_by_no_other_one() -> None:
    alone = {"ansible_play_hosts_all": ["web1"]}
    assert rescued.broken(alone) == Broken(f"a task without a name: {NOT_FOUND}")
    said = f"A{NOT_FOUND[1:]}. See to that, then run the play again."
    assert rescued.message(alone) == said


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([{"code": "trial_unchecked"}, {"code": "b"}], "trial_unchecked"),
        ([], ""),
        ("trial_unchecked", ""),
        (["trial_unchecked"], ""),
        ([{"code": 7}], ""),
        (None, ""),
    ],
)
def test_code_of_what_failed_is_that_of_its_first_reason(reasons: t.Any, expected: str) -> None:
    variables = {"ansible_failed_task": {}, "ansible_failed_result": {"reasons": reasons}}
    assert rescued.code(variables) == expected

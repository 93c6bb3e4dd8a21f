# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of any role: names, types, values that are left out, and lists of one."""

from __future__ import annotations

import shlex
import traceback
import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.family import (
    Family,
    VariableError,
)

FAMILY = Family(
    "x",
    {
        "name": {"type": "str", "choices": ["a", "b"]},
        "count": {"type": "int"},
        "words": {"type": "list", "elements": "str"},
        "command": {"type": "list", "elements": "str"},
        "commands": {"type": "list", "elements": "raw"},
        "switch": {"type": "bool"},
    },
    others=("hosts",),
    forms={"command": shlex.split},
    secrets=("command",),
)
GIVEN: dict[str, t.Any] = {
    "name": "a",
    "count": "3",
    "words": "b, c",
    "command": "d 'e f'",
    "commands": ["g", ["h", "i"]],
    "switch": "yes",
}


def test_variables_are_read_by_their_names_and_what_is_omitted_is_left_out() -> None:
    variables = {"x_name": "a", "x_count": "omitted", "x_words": "{{ b }}", "x_other": 1, "y": 2}

    def template(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        told = {name: "b" if value == "{{ b }}" else value for name, value in values.items()}
        return {name: value for name, value in told.items() if value != "omitted"}

    assert FAMILY.wanted(variables, template) == {"name": "a", "words": "b"}


def test_variables_that_cannot_be_told_are_all_named() -> None:
    def template(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if {"name", "count", "command"} & {*values}:
            raise AnsibleError("'nothing'\nis undefined.")
        return dict(values)

    with pytest.raises(VariableError) as caught:
        FAMILY.wanted({f"x_{name}": "{{ nothing }}" for name in FAMILY.specification}, template)
    assert caught.value.problems == (
        "The variable x_name cannot be told: 'nothing' is undefined.",
        "The variable x_count cannot be told: 'nothing' is undefined.",
        # What Ansible says may have a part of the secret in it.
        "The variable x_command cannot be told.",
    )


def test_values_have_their_types_and_one_stands_for_a_list_of_one() -> None:
    assert FAMILY.validated({**GIVEN, "foreign": 1}) == {
        "name": "a",
        "count": 3,
        "words": ["b, c"],
        "command": ["d", "e f"],
        "commands": ["g", ["h", "i"]],
        "switch": True,
    }


HOOKS = Family(
    "x",
    {
        "hooks": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str"}, "times": {"type": "int"}},
        }
    },
)


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"name": ["lb"]}, "has as name ['lb'], a list, and must have a text."),
        ({"name": {"lb": 1}}, "has as name {'lb': 1}, a mapping, and must have a text."),
        ({"name": True}, "has as name True, a truth value, and must have a text."),
        ({"times": float("nan")}, "has as times nan, a number, and must have a finite number."),
    ],
)
def test_what_a_mapping_has_in_it_is_looked_at_too(hook: dict[str, t.Any], said: str) -> None:
    for value in ([{"name": "well"}, hook], hook):
        with pytest.raises(VariableError) as refused:
            HOOKS.validated({"hooks": value})
        assert refused.value.problems == (f"The variable x_hooks {said}",)
    for given, name in (("lb", "lb"), (7, "7")):
        found = HOOKS.validated({"hooks": [{"name": given}]})
        assert found["hooks"] == [{"name": name, "times": None}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": None, "count": None}, "cannot be omitted: x_name, x_count."),
        ({"name": "c"}, "value of x_name must be one of: a, b"),
        ({"name": 7}, "The variable x_name is 7, a number, and must be a text."),
        ({"name": True}, "The variable x_name is True, a truth value, and must be a text."),
        ({"name": {"a": 1}}, "x_name is {'a': 1}, a mapping, and must be a text."),
        ({"words": ["a", True]}, "a list, and must be a text or a list of texts."),
        (
            {"words": float("nan")},
            "x_words is nan, a number, and must be a text or a list of texts.",
        ),
        ({"count": float("inf")}, "x_count is inf, a number, and must be a finite number."),
        ({"count": "1e999"}, "x_count is '1e999', a text, and must be a number."),
        ({"switch": []}, "x_switch is [], a list, and must be true or false."),
        ({"commands": {"a": "b"}}, "x_commands is {'a': 'b'}, a mapping, and must be a command or"),
        ({"commands": [["a", True]]}, "must be a command or a list of commands, each a text or a"),
        ({"commands": True}, "x_commands is True, a truth value, and must be a command or a list"),
        ({"count": "many"}, "x_count"),
        ({"command": "'"}, "The variable x_command is no command: No closing quotation."),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, t.Any], said: str) -> None:
    with pytest.raises(VariableError) as caught:
        FAMILY.validated({**GIVEN, **changes})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "command",
    [
        {"password": "xyzzy"},
        [{"password": "xyzzy"}],
        ["reset", ["xyzzy"]],
        ["reset", True, "xyzzy"],
        "reset 'xyzzy",
        {"reset", "xyzzy"},
    ],
    ids=["mapping", "mappings", "lists", "a truth", "an open quote", "a set"],
)
def test_secret_is_not_shown_in_whatever_form_it_comes(command: t.Any) -> None:
    with pytest.raises(VariableError, match="x_command is ") as caught:
        FAMILY.validated({**GIVEN, "command": command, "count": "many"})
    assert "xyzzy" not in str(caught.value)
    assert "xyzzy" not in "".join(traceback.format_exception(caught.value))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(VariableError) as caught:
        FAMILY.validated({**GIVEN, "name": "c", "count": "many", "words": {}})
    assert len(caught.value.problems) == 3


def test_name_that_the_role_does_not_have_is_named() -> None:
    FAMILY.refuse_unknown(["x_name", "x_hosts", "y_other", "name"])
    with pytest.raises(VariableError, match=r"no variable x_nmae, x_z of alpinefleet\.kexec\.x"):
        FAMILY.refuse_unknown(["x_z", "x_nmae", "x_name"])


def test_prefix_that_others_have_too_refuses_slips_of_the_pen_only() -> None:
    family = Family("x", FAMILY.specification, others=("serial",), shares_prefix=True)
    family.refuse_unknown(["x_name", "x_serial", "x_log_folder", "x_s"])
    for slip in ("x_sreial", "x_serials", "x_seriall"):
        with pytest.raises(VariableError, match=f"no variable {slip} of"):
            family.refuse_unknown([slip])

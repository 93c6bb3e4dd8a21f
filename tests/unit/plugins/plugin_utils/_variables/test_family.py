# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of any role: names, types, values that are left out, and lists of one."""

from __future__ import annotations

import shlex
import typing as t

import pytest
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
    },
    others=("hosts",),
    forms={"command": shlex.split},
)
GIVEN: dict[str, t.Any] = {"name": "a", "count": "3", "words": "b, c", "command": "d 'e f'"}


def test_values_have_their_types_and_one_stands_for_a_list_of_one() -> None:
    assert FAMILY.validated({**GIVEN, "foreign": 1}) == {
        "name": "a",
        "count": 3,
        "words": ["b, c"],
        "command": ["d", "e f"],
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": None, "count": None}, "cannot be omitted: x_name, x_count."),
        ({"name": "c"}, "value of x_name must be one of: a, b"),
        ({"name": 7}, "The variable x_name is 7 and must be a text."),
        ({"count": "many"}, "x_count"),
        ({"command": "'"}, "The variable x_command is no command: No closing quotation."),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, t.Any], said: str) -> None:
    with pytest.raises(VariableError) as caught:
        FAMILY.validated({**GIVEN, **changes})
    assert said in str(caught.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(VariableError) as caught:
        FAMILY.validated({**GIVEN, "name": "c", "count": "many"})
    assert len(caught.value.problems) == 2


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

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value is taken in its form, and one of another form is none and told."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing import forms

LOCKED = {"code": "kexec_locked", "message": "It is.", "remedy": "Unlock.", "blocks": "kexec"}


@pytest.mark.parametrize(
    ("form", "values", "others"),
    [
        pytest.param(forms.text, ["", "a"], [1, True, b"a", ["a"]], id="text"),
        pytest.param(forms.truth, [True, False], [0, 1, "yes", []], id="truth"),
        pytest.param(forms.items, [[], [1] * 100], [[1] * 101, (1,), "a"], id="items"),
        pytest.param(forms.mapping, [{}, {"a": 1}], [{1: "a"}, [], "a"], id="mapping"),
        pytest.param(forms.texts, [{}, {"a": "b"}], [{"a": 1}, {1: "a"}, "a"], id="texts"),
    ],
)
def test_form(form: t.Callable[[t.Any], t.Any], values: list[t.Any], others: list[t.Any]) -> None:
    assert [form(value) for value in values] == values
    assert [form(value) for value in [*others, None]] == [None] * (len(others) + 1)


def test_fields_note_what_has_another_form_and_not_what_is_not_there() -> None:
    odd: dict[str, str] = {}
    fields = forms.Fields({"a": "x", "b": 1, "c": None}, odd)
    assert [fields.take(name, forms.text) for name in "abcd"] == ["x", None, None, None]
    assert odd == {"b": "its b is 1"}


@pytest.mark.parametrize("values", [None, "text", [1], {1: 2}])
def test_fields_of_what_is_no_dictionary_are_none(values: object) -> None:
    odd: dict[str, str] = {}
    assert forms.Fields(values, odd).take("a", forms.text) is None
    assert odd == {}


def test_reasons_are_taken_and_the_others_told() -> None:
    found, others = forms.reasons([LOCKED, "a", {**LOCKED, "blocks": "all"}])
    assert found == (Reason("kexec_locked", "It is.", "Unlock.", "kexec"),)
    assert [text[:14] for text in others] == ["a reason is 'a", "a reason is {'"]
    assert forms.reasons(None) == (None, [])


@pytest.mark.parametrize(
    "odd",
    [{"code": "No Code"}, {"message": None}, {"remedy": 1}, {"blocks": []}, {"code": "a" * 65}],
)
def test_reason_of_another_form_is_none(odd: dict[str, t.Any]) -> None:
    assert forms.reason({**LOCKED, **odd}) is None


def test_value_is_shown_without_what_a_terminal_obeys_and_cut() -> None:
    assert forms.shown("\x1b[2J") == "'\\x1b[2J'"
    assert len(forms.shown("a" * 1000)) == 100

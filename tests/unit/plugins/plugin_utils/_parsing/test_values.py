# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain data becomes the values that are declared, or is refused with its place."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing import values
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._parsing.values import (
    FormError,
    parse,
    prepare,
)


@dataclass(frozen=True)
class Part:
    """A part."""

    name: str
    size: float = 1.0


@dataclass(frozen=True)
class Whole:
    """One of each kind."""

    kind: t.Literal["a", "b"]
    parts: tuple[Part, ...]
    count: int
    sure: bool | None
    more: t.Mapping[str, str | int | list[str]]
    rest: t.Mapping[str, t.Any]


GIVEN: dict[str, t.Any] = {
    "kind": "a",
    "parts": [{"name": "x"}, {"name": "y", "size": 2}],
    "count": 3,
    "sure": None,
    "more": {"text": "z", "number": 7, "words": ["v", "w"]},
    "rest": {"any": [{}]},
}


def test_data_becomes_what_is_declared_and_back() -> None:
    found = parse(Whole, {**GIVEN, "foreign": 1})
    assert found.parts == (Part("x", 1.0), Part("y", 2))
    assert (found.kind, found.count, found.sure, found.rest) == ("a", 3, None, {"any": [{}]})
    assert found.more == {"text": "z", "number": 7, "words": ["v", "w"]}
    assert parse(Whole, json.loads(json.dumps(asdict(found)))) == found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "c"}, "Whole.kind is of another form: str"),
        ({"kind": ["a"]}, "Whole.kind"),
        ({"parts": "xy"}, "Whole.parts is of another form: str"),
        ({"parts": [7]}, "Whole.parts is of another form: int"),
        ({"parts": [{"size": 1}]}, "Whole.parts lacks some of name"),
        ({"parts": [{"name": "x", "size": "1"}]}, "Whole.parts.size"),
        ({"count": True}, "Whole.count is of another form: bool"),
        ({"count": 1.5}, "Whole.count"),
        ({"count": None}, "Whole.count"),
        ({"sure": 1}, "Whole.sure"),
        ({"more": {"x": 1.5}}, "Whole.more is of another form: float"),
        ({"more": {"x": [1]}}, "Whole.more"),
        ({"rest": []}, "Whole.rest"),
    ],
)
def test_data_of_another_form_is_refused_with_its_place(
    changes: dict[str, t.Any], said: str
) -> None:
    with pytest.raises(FormError) as caught:
        parse(Whole, {**GIVEN, **changes})
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("given", [None, 7, "text", [], {}])
def test_what_is_no_such_thing_at_all_is_refused(given: object) -> None:
    with pytest.raises(FormError, match="Whole"):
        parse(Whole, given)


def test_types_are_looked_up_beforehand_with_those_of_all_parts() -> None:
    @prepare
    @dataclass(frozen=True)
    class Outer:
        parts: tuple[Part, ...]

    before = values._hints.cache_info().misses
    assert parse(Outer, {"parts": [{"name": "a"}]}) == Outer((Part("a"),))
    assert values._hints.cache_info().misses == before

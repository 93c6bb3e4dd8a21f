# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Values that one task hands to another as plain data, read by the types that they are declared with."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import functools
import types
import typing as t

Value = t.TypeVar("Value")

# Where a whole number will do for a number; what is true or false is neither.
NUMBERS: dict[type, tuple[type, ...]] = {int: (int,), float: (int, float)}


class FormError(Exception):
    """Data of another form than the one that is declared; it says where."""


def parse(kind: type[Value], given: object) -> Value:
    """A dataclass of what dataclasses.asdict made of one. What it has no field for is passed over."""
    return t.cast("Value", _value(kind, given, kind.__name__))


def _value(kind: t.Any, given: object, place: str) -> t.Any:
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, given, place)
    origin, inner = t.get_origin(kind), t.get_args(kind)
    if origin in (t.Union, types.UnionType):
        return _first(inner, given, place)
    if origin is t.Literal:
        return _fitting(given in inner, given, place)
    if origin in (list, tuple):
        found = _fitting(isinstance(given, (list, tuple)), given, place)
        return origin(_value(inner[0], each, place) for each in found)
    if origin is collections.abc.Mapping:
        found = _fitting(isinstance(given, t.Mapping), given, place)
        return {str(name): _value(inner[1], each, place) for name, each in found.items()}
    return given if kind is t.Any else _fitting(_is(kind, given), given, place)


def _dataclass(kind: t.Any, given: object, place: str) -> t.Any:
    found = _fitting(isinstance(given, t.Mapping), given, place)
    hints = _hints(kind)
    missing = [each.name for each in dataclasses.fields(kind) if each.name not in found]
    named = {
        name: _value(hints[name], found[name], f"{place}.{name}")
        for name in hints
        if name not in missing
    }
    try:
        return kind(**named)
    except TypeError:
        raise FormError(f"{place} lacks some of {', '.join(missing)}") from None


def prepare(kind: type[Value]) -> type[Value]:
    """Look its types up, and those of all in it: once, and not in the process of each task."""
    for hint in _hints(t.cast("t.Any", kind)).values():
        for each in (hint, *t.get_args(hint)):
            if dataclasses.is_dataclass(each):
                prepare(t.cast("type[t.Any]", each))
    return kind


@functools.cache
def _hints(kind: type) -> dict[str, t.Any]:
    return t.get_type_hints(kind)


def _first(kinds: t.Iterable[t.Any], given: object, place: str) -> t.Any:
    """As the first of some kinds that it can be."""
    for kind in kinds:
        with contextlib.suppress(FormError):
            return _value(kind, given, place)
    return _fitting(False, given, place)


def _is(kind: type, given: object) -> bool:
    if kind in NUMBERS and isinstance(given, bool):
        return False
    return isinstance(given, NUMBERS.get(kind, (kind,)))


def _fitting(fits: bool, given: t.Any, place: str) -> t.Any:
    if not fits:
        raise FormError(f"{place} is of another form: {type(given).__name__}")
    return given

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The forms of values that come from elsewhere: a value, or None of one that has another form."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, Reason

Form = t.TypeVar("Form")

CODE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
LEVELS: tuple[Blocks, ...] = t.get_args(Blocks)
# The preflight has a few dozen codes.
REASONS_LIMIT = 100
# What is shown of a value that has another form.
SHOWN_LIMIT = 100


class Fields:
    """The values of a dictionary; those of another form than theirs are noted."""

    def __init__(self, values: object, odd: dict[str, str]) -> None:
        self._values = mapping(values) or {}
        self._odd = odd

    def take(self, name: str, form: t.Callable[[t.Any], Form | None]) -> Form | None:
        value = self._values.get(name)
        found = None if value is None else form(value)
        if found is None and value is not None:
            self._odd[name] = f"its {name} is {shown(value)}"
        return found


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def items(value: object) -> list[t.Any] | None:
    return value if isinstance(value, list) and len(value) <= REASONS_LIMIT else None


def mapping(value: object) -> t.Mapping[str, t.Any] | None:
    """A dictionary that JSON can have."""
    if isinstance(value, t.Mapping) and all(isinstance(name, str) for name in value):
        return value
    return None


def texts(value: object) -> t.Mapping[str, str] | None:
    found = mapping(value)
    return found if found is None or all(isinstance(e, str) for e in found.values()) else None


def reasons(values: list[t.Any] | None) -> tuple[tuple[Reason, ...] | None, list[str]]:
    """The reasons, and what stands among them and is none, each as a sentence."""
    if values is None:
        return None, []
    parsed = [(reason(mapping(each) or {}), each) for each in values]
    return (
        tuple(found for found, _each in parsed if found is not None),
        [f"a reason is {shown(each)}" for found, each in parsed if found is None],
    )


def reason(fields: t.Mapping[str, t.Any]) -> Reason | None:
    code, message, remedy = (text(fields.get(name)) for name in ("code", "message", "remedy"))
    blocks = fields.get("blocks")
    if code is None or message is None or remedy is None or blocks not in LEVELS:
        return None
    return Reason(code, message, remedy, blocks) if CODE.fullmatch(code) else None


def shown(value: object) -> str:
    """A value for a message, without what a terminal obeys, and cut."""
    whole = repr(value)
    return whole if len(whole) <= SHOWN_LIMIT else f"{whole[: SHOWN_LIMIT - 3]}..."

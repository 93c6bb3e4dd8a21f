# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The variables of a role: known by their names, of their types, and with no value left out."""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._step import StepError

Given = t.Mapping[str, t.Any]

# From this share of common letters on, a name is a slip of the pen for another one.
LIKENESS = 0.85


class VariableError(StepError):
    """All that is wrong with variables, each in a sentence."""

    def __init__(self, problems: t.Sequence[str]) -> None:
        super().__init__(" ".join(problems), "Correct that; nothing was done to the host.")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Family:
    """The variables of one role, by their names without its prefix."""

    role: str
    specification: t.Mapping[str, t.Mapping[str, t.Any]]
    # Names of the same prefix that are none of the role's: those of its playbook, and what it leaves.
    others: tuple[str, ...] = ()
    # Whether others may well have variables with this prefix.
    shares_prefix: bool = False
    # What becomes of a text before anything else, where it is not taken as it is.
    forms: t.Mapping[str, t.Callable[[str], str | list[str]]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return f"{self.role}_"

    @property
    def names(self) -> frozenset[str]:
        """All that is known by this prefix."""
        return frozenset(f"{self.prefix}{name}" for name in (*self.specification, *self.others))

    def refuse_unknown(self, names: t.Iterable[str]) -> None:
        """A variable that looks as if it were the role's, and is none, would be missed too late."""
        known = self.names
        found = sorted(name for name in names if name.startswith(self.prefix) and name not in known)
        if self.shares_prefix:
            found = [each for each in found if difflib.get_close_matches(each, known, 1, LIKENESS)]
        if found:
            listed = ", ".join(found)
            raise VariableError(
                [f"There is no variable {listed} of alpinefleet.kexec.{self.role}."]
            )

    def validated(self, given: Given) -> dict[str, t.Any]:
        """Each variable in the form that it has, or all that is wrong with them."""
        missing = [name for name in self.specification if given.get(name) is None]
        if missing:
            raise VariableError([self._omitted(missing)])
        problems = [
            f"The variable {self.prefix}{name} is {given[name]!r} and must be a text."
            for name, option in self.specification.items()
            if option["type"] == "str" and not isinstance(given[name], str)
        ]
        problems += [
            f"The variable {self.prefix}{name} is {given[name]!r} and must be a number."
            for name, option in self.specification.items()
            if _is_of_numbers(option) and _has_truth(given[name])
        ]
        problems += [
            f"The variable {self.prefix}{name} is {given[name]!r} and must be a text or texts."
            for name, option in self.specification.items()
            if option.get("elements") == "str" and not _is_of_texts(given[name])
        ]
        values = {
            f"{self.prefix}{name}": self._listed(name, given[name]) for name in self.specification
        }
        result = ArgumentSpecValidator(self._named()).validate(values)
        problems += [f"Variables cannot be used: {message}." for message in result.error_messages]
        if problems:
            raise VariableError(problems)
        found = result.validated_parameters
        return {name: found[f"{self.prefix}{name}"] for name in self.specification}

    def _named(self) -> dict[str, t.Any]:
        """Each option under its own name, so that what is said of it names it."""
        return {f"{self.prefix}{name}": dict(each) for name, each in self.specification.items()}

    def _omitted(self, missing: t.Sequence[str]) -> str:
        names = ", ".join(f"{self.prefix}{name}" for name in missing)
        return f"A variable of this role has a default and cannot be omitted: {names}."

    def _listed(self, name: str, value: t.Any) -> t.Any:
        """A list of one, where one value was given for it. A comma in it parts nothing."""
        if name in self.forms and isinstance(value, str):
            try:
                return self.forms[name](value)
            except ValueError as error:
                raise VariableError(
                    [f"The variable {self.prefix}{name} is no command: {error}."]
                ) from None
        is_list = self.specification[name]["type"] == "list"
        return _many(value) if is_list else value


def _is_of_numbers(option: t.Mapping[str, t.Any]) -> bool:
    return bool({option["type"], option.get("elements")} & {"int", "float"})


def _is_of_texts(value: object) -> bool:
    """Ansible would write down anything else as if it were one."""
    return all(isinstance(each, (str, int, float)) for each in _many(value))


def _has_truth(value: object) -> bool:
    """Ansible takes what is true for a 1."""
    return any(isinstance(each, bool) for each in _many(value))


def _many(value: t.Any) -> t.Any:
    """What stands in a list, and one value as a list of it."""
    return value if isinstance(value, (list, tuple)) else [value]

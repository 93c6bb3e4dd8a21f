# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The variables of a role: known by their names, of their types, and with no value left out."""

from __future__ import annotations

import difflib
import math
import typing as t
from dataclasses import dataclass, field

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._parsing.forms import shown
from .._step import StepError

Given = t.Mapping[str, t.Any]

# What types are called, for people; what is true is a number, too, and comes before it.
TYPES_IN_WORDS: dict[type, str] = {
    bool: "a truth value",
    str: "a text",
    int: "a number",
    float: "a number",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}
OF_NUMBERS = {"int", "float"}

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
    # What may have a secret in it, and is never shown, in whatever form it comes.
    secrets: tuple[str, ...] = ()
    # For all variables; made once, and not in the process of each host's task.
    _all_named: ArgumentSpecValidator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_all_named", self._named(self.specification))

    @property
    def prefix(self) -> str:
        return f"{self.role}_"

    @property
    def names(self) -> frozenset[str]:
        """All that is known by this prefix."""
        return frozenset(f"{self.prefix}{name}" for name in (*self.specification, *self.others))

    def wanted(self, variables: Given, template: t.Callable[[t.Any], t.Any]) -> dict[str, t.Any]:
        """What each variable is set to, by its name without the prefix; all are read at one moment.

        Without a word of Jinja around them: Ansible would compile one for each variable and host.
        """
        found: dict[str, t.Any] = {}
        problems = []
        for name in self.specification:
            variable = f"{self.prefix}{name}"
            # In a mapping, which a variable that is omitted is not in any more.
            own = {name: variables[variable]} if variable in variables else {}
            try:
                found |= template(own)
            except AnsibleError as error:
                problems.append(f"The variable {variable} cannot be told{self._why(name, error)}.")
        if problems:
            raise VariableError(problems)
        return found

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
        wrong = {
            name: problem
            for name, option in self.specification.items()
            for problem in self._problems(name, option, given[name])
        }
        # Of what is wrong already Ansible would tell the value.
        right = [name for name in self.specification if name not in wrong]
        values = {f"{self.prefix}{name}": self._listed(name, given[name]) for name in right}
        validator = self._named(right) if wrong else self._all_named
        result = validator.validate(values)
        problems = [*wrong.values()]
        problems += [f"Variables cannot be used: {message}." for message in result.error_messages]
        if problems:
            raise VariableError(problems)
        found = result.validated_parameters
        return {name: found[f"{self.prefix}{name}"] for name in self.specification}

    def _problems(self, name: str, option: t.Mapping[str, t.Any], value: object) -> t.Iterator[str]:
        """What a variable, or something in one of the mappings that it has, is and must not be."""
        place = f"The variable {self.prefix}{name}"
        for wanted in _wanted_of(option, value):
            yield f"{place} is {self._found(name, value)} and must be {wanted}."
        for each in filter(_is_mapping, _many(value) if option.get("options") else ()):
            for key, inner in option["options"].items():
                for wanted in _wanted_in(inner, each.get(key)):
                    yield f"{place} has as {key} {self._found(name, each[key])} and must have {wanted}."

    def _why(self, name: str, error: Exception) -> str:
        """What Ansible says of a template; of a secret it may say too much."""
        return "" if name in self.secrets else f": {' '.join(str(error).split()).rstrip('.')}"

    def _found(self, name: str, value: object) -> str:
        """What a variable is, in words: its value if that is no secret, and its type."""
        known = (word for kind, word in TYPES_IN_WORDS.items() if isinstance(value, kind))
        kind = next(known, f"of the type {type(value).__name__}")
        return (
            f"{kind}, which is not shown," if name in self.secrets else f"{shown(value)}, {kind},"
        )

    def _named(self, names: t.Iterable[str]) -> ArgumentSpecValidator:
        """Options under their own names, so that what is said of one names it."""
        return ArgumentSpecValidator(
            {f"{self.prefix}{name}": dict(self.specification[name]) for name in names}
        )

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


def _wanted_of(option: t.Mapping[str, t.Any], value: object) -> t.Iterator[str]:
    """What a variable must be, where Ansible would make one of what is another thing."""
    many, elements = option["type"] == "list", option.get("elements")
    if option["type"] == "str" and not isinstance(value, str):
        yield "a text"
    elif many and elements == "str" and not all(map(_is_text, _many(value))):
        yield "a text or a list of texts"
    elif many and elements == "raw" and not all(map(_is_command, _many(value))):
        yield "a command or a list of commands, each a text or a list of texts"
    elif {option["type"], elements} & OF_NUMBERS and not all(map(_can_be_number, _many(value))):
        number = "a finite number" if any(map(_is_endless, _many(value))) else "a number"
        yield f"{number} or a list of numbers" if many else number
    elif option["type"] == "bool" and isinstance(value, (t.Mapping, list, tuple, float)):
        yield "true or false"


def _wanted_in(option: t.Mapping[str, t.Any], value: object) -> t.Iterator[str]:
    """The same of what stands in a mapping, where a number can be meant by its digits."""
    if value is None or (option["type"] == "str" and _is_number(value)):
        return
    yield from _wanted_of(option, value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, t.Mapping)


def _is_text(value: object) -> bool:
    """Ansible would write down anything else as if it were one; a number can be meant by its digits."""
    return isinstance(value, str) or _is_number(value)


def _is_command(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(isinstance(word, str) for word in value)
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    """What is true or false is none, which Ansible takes for a 1; and one without an end is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value)


def _is_endless(value: object) -> bool:
    """Whether it is infinite, or no number at all, and of the type of one."""
    return isinstance(value, float) and not math.isfinite(value)


def _can_be_number(value: object) -> bool:
    if not isinstance(value, str):
        return _is_number(value)
    try:
        return math.isfinite(float(value))
    except ValueError:
        # Ansible says so itself.
        return True


def _many(value: t.Any) -> t.Any:
    """What stands in a list, and one value as a list of it."""
    return value if isinstance(value, (list, tuple)) else [value]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whose word a variable of a play is: the operator's, or that of a host, whose facts outrank the inventory."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable

from .._step import StepError
from .family import Family
from .roles import FAMILIES


def _of_operator(families: t.Iterable[Family]) -> re.Pattern[str]:
    """The names that are not a host's to say: all of a prefix, or where others share it those known."""
    public = [each for family in families for each in _public(family)]
    private = [f"__{family.prefix}\\w+" for family in families]
    return re.compile("|".join([*public, *private]), re.ASCII)


def _public(family: Family) -> list[str]:
    return sorted(family.names) if family.shares_prefix else [f"{family.prefix}\\w+"]


# What a host says as facts outranks the inventory. Of these names it must not have said anything.
_OF_OPERATOR = _of_operator(FAMILIES.values())
# By these a file of tasks tells which host it is about.
_OF_INVENTORY = re.compile(r"inventory_hostname(?:_short)?|inventory_(?:dir|file)|group_names")
# How many names a message has at most.
NAMES_SHOWN = 30

Variables = t.Mapping[str, t.Any]


class SpokenError(StepError):
    """A host has said what is the operator's to say."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "Find out who controls the host. Then clear its facts, with --flush-cache where they "
            "are kept.",
        )


def pretended(variables: Variables) -> list[str]:
    """Names of the inventory that the host has said, and by which it could pass for another one."""
    return sorted(name for name in _facts(variables) if _OF_INVENTORY.fullmatch(name))


def spoken(variables: Variables) -> list[str]:
    """Names of variables of the operator that the host has said."""
    of_roles = (name for name in _facts(variables) if _OF_OPERATOR.fullmatch(name))
    return sorted({*of_roles, *pretended(variables)})


def _facts(variables: Variables) -> list[str]:
    facts = variables.get("ansible_facts")
    return [str(name) for name in facts] if isinstance(facts, t.Mapping) else []


def own(variables: Variables, name: str) -> t.Any:
    """A variable that a task of ours has left, None where only the host says so.

    What a task leaves outranks a fact of its name, and no fact is the same as what a step leaves. Where
    hashes are merged (hash_behaviour=merge), a fact adds to it what it has no key for.
    """
    value = variables.get(name)
    return None if value in _said(variables, name) else value


def is_told(variables: Variables, name: str) -> bool:
    """Whether a variable is what a step of ours has told: each of its keys is the step's then.

    What the step has not told may be a host's, but for the nonce, which no host is told.
    """
    value = own(variables, name)
    nonce = value.get("nonce") if isinstance(value, t.Mapping) else None
    said = [each.get("nonce") for each in _said(variables, name) if isinstance(each, t.Mapping)]
    return isinstance(nonce, str) and nonce not in said


def _said(variables: Variables, name: str) -> list[t.Any]:
    """What the host says by a name."""
    facts = variables.get("ansible_facts")
    # Ansible hands out a fact with and without this prefix.
    names = (name, name.removeprefix("ansible_"))
    return [facts[each] for each in names if each in facts] if isinstance(facts, t.Mapping) else []


def refuse_a_speaker(variables: Variables) -> None:
    found = spoken(variables)
    if found:
        host = variables.get("inventory_hostname", "the host")
        raise SpokenError(
            f"Facts of {host} have names of the operator's variables: {_names(found)}."
        )


def refuse_a_pretender(variables: Variables) -> None:
    found = pretended(variables)
    if found:
        raise SpokenError(
            f"The host has said facts that Ansible has from the inventory, {_names(found)}: a task "
            "file could take it for another one, and is not run."
        )


def _names(found: t.Sequence[str]) -> str:
    return ", ".join(printable(found[:NAMES_SHOWN]))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as Ansible sends it: which one, and with which arguments."""

from __future__ import annotations

import ast
import json
import typing as t
from dataclasses import dataclass

# Those that change nothing, so that they may run on the machine that tests.
READERS = frozenset({"kexec_preflight", "setup", "ping"})


@dataclass(frozen=True)
class Module:
    """What would be run."""

    name: str
    arguments: t.Mapping[str, t.Any]

    @property
    def check_mode(self) -> bool:
        return bool(self.arguments.get("_ansible_check_mode"))

    @property
    def reads_only(self) -> bool:
        return self.name in READERS or self.check_mode


def parse(payload: bytes) -> Module | None:
    """Read the last lines of what Ansible wraps around a module; None if it is no such thing."""
    values = {}
    for line in payload.decode(errors="replace").splitlines():
        name, equals, value = line.partition("=")
        if equals and name in ("ansible_module", "params"):
            values[name] = _literal(value)
    if set(values) != {"ansible_module", "params"}:
        return None
    arguments = json.loads(values["params"])["ANSIBLE_MODULE_ARGS"]
    return Module(values["ansible_module"].rpartition(".")[2], arguments)


def _literal(value: str) -> str:
    return str(ast.literal_eval(value.removesuffix(",")))

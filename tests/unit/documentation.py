# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of a module. Of one that is sent to hosts it stands beside it, and is not sent."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import yaml

MODULES = Path(__file__).resolve().parents[2] / "plugins/modules"
PACKAGE = "ansible_collections.alpinefleet.kexec.plugins.modules"


class Documentation(t.NamedTuple):
    """Its three parts."""

    module: dict[str, t.Any]
    examples: str
    returns: dict[str, t.Any]


def of(name: str) -> Documentation:
    beside = MODULES / f"{name}.yml"
    if beside.exists():
        parts = yaml.safe_load(beside.read_text(encoding="utf-8"))
        return Documentation(parts["DOCUMENTATION"], parts["EXAMPLES"], parts["RETURN"])
    module = importlib.import_module(f"{PACKAGE}.{name}")
    described, returned = (yaml.safe_load(text) for text in (module.DOCUMENTATION, module.RETURN))
    return Documentation(described, module.EXAMPLES, returned)

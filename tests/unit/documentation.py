# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of a module, which stands beside it and is not sent to hosts with it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

MODULES = Path(__file__).resolve().parents[2] / "plugins/modules"


class Documentation(t.NamedTuple):
    """Its three parts."""

    module: dict[str, t.Any]
    examples: str
    returns: dict[str, t.Any]


def of(name: str) -> Documentation:
    parts = yaml.safe_load((MODULES / f"{name}.yml").read_text(encoding="utf-8"))
    return Documentation(parts["DOCUMENTATION"], parts["EXAMPLES"], parts["RETURN"])

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be tested with what: the one source of it for ./test matrix and for the README."""

from __future__ import annotations

import tomllib
import typing as t
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "table.toml"


@dataclass(frozen=True)
class Core:
    """A version of ansible-core, its release, and Pythons for it, the preferred one first."""

    version: str
    release: str
    pythons: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The cores of controllers, the first of them being that of ./test, and hosts' Pythons."""

    cores: tuple[Core, ...]
    host_pythons: tuple[str, ...]


def number(version: str) -> tuple[int, ...]:
    """Return a version as what can be compared: 3.10 is later than 3.9."""
    return tuple(map(int, version.split(".")))


def parse(text: str) -> Table:
    said: dict[str, t.Any] = tomllib.loads(text)
    cores = [
        Core(each["version"], each["release"], tuple(each["pythons"])) for each in said["cores"]
    ]
    return Table(tuple(cores), tuple(said["hosts"]["pythons"]))


def load() -> Table:
    return parse(TABLE.read_text(encoding="utf-8"))

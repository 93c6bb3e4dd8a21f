# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Which line of which file sets a sysctl, in the order of OpenRC's sysctl service."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .port import SPACES, Host, lines

VENDOR = ("/lib/sysctl.d", "/usr/lib/sysctl.d")
ADMIN = "/etc/sysctl.d"
RUNTIME = "/run/sysctl.d"
SINGLE = "/etc/sysctl.conf"


@dataclass(frozen=True)
class Setting:
    """One line that sets the key."""

    path: str
    line: int
    value: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def parse(path: str, text: str, key: str) -> list[Setting]:
    """The lines of a file that set the key; slashes and dots mean the same.

    Of the value only the first word counts: a number is all that the kernel reads.
    """
    found = []
    for number, line in enumerate(lines(text), start=1):
        name, equals, value = line.strip(SPACES).lstrip("-").partition("=")
        if equals and name.strip(SPACES).replace("/", ".") == key:
            found.append(
                Setting(path, number, re.split(f"[{SPACES}]", value.strip(SPACES), maxsplit=1)[0])
            )
    return found


def settings(host: Host, key: str) -> list[Setting]:
    """All lines that set the key, in the order in which the service applies them."""
    found: list[Setting] = []
    for path in _files(host):
        found += parse(path, host.text(path) or "", key)
    return found


def _files(host: Host) -> t.Iterator[str]:
    """A file hides those of the same name in directories of lower rank."""
    runtime, admin = _configurations(host, RUNTIME), _configurations(host, ADMIN)
    hidden = {*runtime, *admin}
    for directory in VENDOR:
        yield from (
            f"{directory}/{name}" for name in _configurations(host, directory) if name not in hidden
        )
    yield from (f"{ADMIN}/{name}" for name in admin if name not in runtime)
    yield SINGLE
    yield from (f"{RUNTIME}/{name}" for name in runtime)


def _configurations(host: Host, directory: str) -> list[str]:
    """What the service's pattern *.conf matches, which is no hidden file."""
    return [name for name in host.names(directory) if re.fullmatch(r"[^.].*\.conf", name)]

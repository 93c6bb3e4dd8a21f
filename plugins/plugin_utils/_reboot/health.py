# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether a host is well: what is wanted of it, what it says of itself, and what is wrong."""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass, field

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import lines
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable

from .._text.table import one_line
from .._text.words import SAID_LIMIT, last_line
from . import frames

TCP_PORTS = range(1, 2**16)

# What the lines of an answer begin with.
KINDS = ("rc-status", "service", "port", "command", "said")

# As rc-status prints them for programs.
_STARTED = re.compile(r"(\S+) = +started\b")


@dataclass(frozen=True)
class Health:
    """What a user wants of a host that has come back."""

    # Whether what ran before must run again, whatever else must run, and what need not.
    services: bool
    required_services: tuple[str, ...]
    ignore_services: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    ports: tuple[int, ...]
    timeout: float
    stable_seconds: float

    def required(self, before: t.Iterable[str]) -> tuple[str, ...]:
        """The services that must run, given those that ran before."""
        wanted = (*(before if self.services else ()), *self.required_services)
        return tuple(name for name in dict.fromkeys(wanted) if name not in self.ignore_services)


@dataclass(frozen=True)
class Questions:
    """What a host is asked at once."""

    services: bool
    ports: bool
    commands: tuple[str, ...] = ()


# Before the host is left.
WHICH_SERVICES = Questions(services=True, ports=False)


@dataclass(frozen=True)
class Examination:
    """What a host answers; None is what it was not asked."""

    # The exit status of rc-status, and the services that are started.
    rc_status: int | None
    started: frozenset[str]
    ports: frozenset[int]
    # The exit status of each command.
    commands: tuple[int, ...]
    # The last line of rc-status, and of a command by its number, where they failed.
    rc_said: str = ""
    said: t.Mapping[int, str] = field(default_factory=dict)


def questions(health: Health, before: t.Iterable[str]) -> Questions:
    """What has to be asked to tell whether a host is well."""
    return Questions(
        services=bool(health.required(before)),
        ports=bool(health.ports),
        commands=tuple(shlex.join(words) for words in health.commands),
    )


def parse(output: str, nonce: str, commands: int) -> Examination | None:
    """The answer between the two lines with the nonce; None if it is not whole or not valid."""
    frame = frames.between(output, nonce)
    if frame is None:
        return None
    told: dict[str, list[str]] = {name: [] for name in KINDS}
    for line in lines(frame):
        kind, _space, rest = line.partition(" ")
        told.get(kind, []).append(rest.strip())
    statuses = dict(map(_status, told["command"]))
    if set(statuses) != set(range(commands)):
        return None
    rc_status = _number(told["rc-status"][-1]) if told["rc-status"] else None
    return Examination(
        rc_status=rc_status,
        started=frozenset(_started(told["service"])),
        ports=frozenset(map(_port, told["port"])),
        commands=tuple(statuses[number] for number in range(commands)),
        rc_said=last_line(told["service"]) if rc_status else "",
        said=dict(map(_said, told["said"])),
    )


def _status(text: str) -> tuple[int, int]:
    number, _space, status = text.partition(" ")
    return _number(number), _number(status)


def _said(text: str) -> tuple[int, str]:
    number, _space, words = text.partition(" ")
    return _number(number), one_line(words, SAID_LIMIT)


def _number(text: str) -> int:
    """A number as a shell prints it; what is none fits nothing."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1


def _port(text: str) -> int:
    return int(text, 16) if re.fullmatch(r"[0-9A-F]{4}", text) else -1


def _started(found: t.Iterable[str]) -> t.Iterator[str]:
    """The names of the services that are started, as a result has them."""
    for text in found:
        # How long a supervised one has been running is said behind it.
        match = _STARTED.match(text)
        if match is not None:
            yield printable(match[1])


def findings(health: Health, before: t.Iterable[str], found: Examination) -> list[str]:
    """What is wrong with a host, in the order in which it is documented."""
    required = health.required(before)
    unknown = bool(required) and found.rc_status != 0
    return [
        *(
            [_with(f"services: rc-status ended with {found.rc_status}", found.rc_said)]
            if unknown
            else []
        ),
        *(f"service {name}" for name in required if not unknown and name not in found.started),
        *_of_commands(health, found),
        *(f"port {port}" for port in health.ports if port not in found.ports),
    ]


def _of_commands(health: Health, found: Examination) -> t.Iterator[str]:
    for number, (words, status) in enumerate(zip(health.commands, found.commands, strict=True)):
        if status != 0:
            ended = f"command {shlex.join(words)}: exit status {status}"
            yield _with(ended, found.said.get(number, ""))


def _with(finding: str, said: str) -> str:
    """What is wrong, and what the command itself said of it, if that was anything."""
    return f"{finding}: {said}" if said else finding

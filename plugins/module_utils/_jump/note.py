# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The notes of others, as docs/notes-on-hosts.md describes them."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._host import notes
from .._host.port import Host, lines

# The first two words decide; where the rest is cut, or something else, there is less to tell.
NOTE = re.compile(
    r"[ \t]*(?P<token>[A-Za-z0-9._-]{1,64})(?![^ \t\n])"
    r"(?:[ \t]+(?P<boot_id>[0-9a-f-]{36})(?![^ \t\n])"
    r"(?: (?P<release>[A-Za-z0-9._+~-]{0,64})(?: (?P<time>[0-9]{0,10})(?: [01]?)?)?\n?\Z)?)?"
)

TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
SUM = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<path>/.+)")


@dataclass(frozen=True)
class Jump:
    """What the note of the last jump says, which outlives a kernel that hangs.

    It has no token where it could not be understood.
    """

    token: str | None = None
    boot_id: str | None = None
    release: str | None = None
    time: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"release": self.release, "time": self.time}


def read(host: Host) -> Jump | None:
    """The note, None if there is none; one that cannot be read is one, as is a link to nothing."""
    found = host.exists(notes.JUMP) or host.link(notes.JUMP)
    return parse(host.text(notes.JUMP) or "") if found else None


def parse(text: str) -> Jump:
    match = NOTE.match(text)
    if match is None:
        return Jump()
    release = None if match["release"] in (None, "", "-") else match["release"]
    return Jump(match["token"], match["boot_id"], release, _time(match["time"]))


def _time(seconds: str | None) -> str | None:
    if not seconds:
        return None
    moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def arrived(jump: Jump | None, running: t.Sequence[str]) -> bool:
    """Tell whether the running kernel is the one that was jumped into."""
    token = _cmdline.last_value(running, _cmdline.TOKEN_PARAMETER)
    return jump is not None and token is not None and jump.token == token


def hung(jump: Jump | None, boot_id: str | None, running: t.Sequence[str]) -> bool:
    """Tell whether another boot than the wanted one came after the jump.

    The boot that wrote the note may be the running one: it has not jumped yet, or kexec refused.
    """
    if jump is None or arrived(jump, running):
        return False
    return jump.boot_id is None or jump.boot_id != boot_id


@dataclass(frozen=True)
class Frozen:
    """What the service kexec-load loaded before it locked kexec.

    It has no files where the note could not be understood.
    """

    token: str = ""
    cmdline: str = ""
    # The kernel comes first.
    files: tuple[str, ...] = ()
    # Whether its files are still what they were then.
    current: bool = False

    def __str__(self) -> str:
        return f"{', '.join(self.files)} with {self.cmdline!r}" if self.files else "an image"


def read_frozen(host: Host) -> Frozen | None:
    """The note of the service, None if there is none."""
    if not host.exists(notes.FROZEN):
        return None
    rows = lines(host.text(notes.FROZEN) or "")
    sums = [SUM.fullmatch(line) for line in rows[2:]]
    found = [(match["path"], match["sum"]) for match in sums if match]
    if not found or len(found) < len(sums) or not TOKEN.fullmatch(rows[0]):
        return Frozen()
    current = all(host.digest(path) == expected for path, expected in found)
    return Frozen(rows[0], rows[1], tuple(path for path, _sum in found), current)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The note of the last jump: it outlives a kernel that hangs, and tells of it afterwards."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._host.port import JUMP, Host

# The token, the boot that jumped, the release that was to come, when, in seconds since 1970, and
# what the kernel did on an oops. The first two words of the first line decide, here and in the shell
# programs; where the rest is cut, or something else, there is less to tell.
NOTE = re.compile(
    r"[ \t]*(?P<token>[A-Za-z0-9._-]{1,64})(?![^ \t\n])"
    r"(?:[ \t]+(?P<boot_id>[0-9a-f-]{36})(?![^ \t\n])"
    r"(?: (?P<release>[A-Za-z0-9._+~-]{0,64})(?: (?P<time>[0-9]{0,10})(?: [01]?)?)?\n?\Z)?)?"
)


@dataclass(frozen=True)
class Jump:
    """What the note says; it has no token where it could not be understood."""

    token: str | None = None
    boot_id: str | None = None
    release: str | None = None
    time: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"release": self.release, "time": self.time}


def read(host: Host) -> Jump | None:
    """The note, None if there is none; one that cannot be read is one all the same."""
    return parse(host.text(JUMP) or "") if host.exists(JUMP) else None


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


def forget(host: Host) -> None:
    """Remove the note; one that stays does no harm as long as this boot runs."""
    with contextlib.suppress(OSError):
        os.unlink(host.real(JUMP))

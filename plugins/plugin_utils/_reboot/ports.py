# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The ports of the reboot: the host over its connection, a cheap probe, and the clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome

from .health import Examination, Questions
from .observation import Method, Observation

# "silent" covers refused, timed out and unreachable; "garbled" is an answer that is not ours.
# "dropped" is a connection that was taken and closed without a word of ssh: by a server that locks
# a source out for its refused logins, or by a port forwarder in front of a host that is down.
Silence = t.Literal["silent", "dropped", "garbled", "host_key", "authentication"]

_SIGNS: tuple[tuple[Silence, tuple[str, ...]], ...] = (
    # Its warning alone is none: with host_key_checking=False, a client warns and goes on.
    ("host_key", ("Host key verification failed", "host key mismatch")),
    ("authentication", ("Permission denied", "Authentication failed", "Too many authentication")),
    ("dropped", ("kex_exchange_identification: ",)),
)


class NoAnswerError(Exception):
    """The host did not answer the question."""

    def __init__(self, kind: Silence, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text


class OtherBootError(Exception):
    """The host runs another boot by now than the one that a command was for."""


class OtherRunError(Exception):
    """Another run has taken the host over since this one began."""


def classify(text: str) -> Silence:
    """Why a connection failed, by what the client said."""
    for kind, signs in _SIGNS:
        if any(sign in text for sign in signs):
            return kind
    return "silent"


@dataclass(frozen=True)
class Departure:
    """How a host is to leave the boot that it runs."""

    method: Method
    token: str
    boot_id: str
    # Seconds until the shutdown begins, and until one that hangs is ended.
    delay: float
    limit: float
    # The host's uptime at which an order that has not begun is void, and whose order it is.
    expires: int
    mark: str
    # The kernel of the image, "-" where it is not known, and the watchdog that bites if it hangs.
    release: str = "-"
    watchdog: str = ""
    watchdog_limit: int = 0


class Remote(t.Protocol):
    """The host."""

    def leave(self, departure: Departure) -> Outcome:
        """Start leaving that boot and no other; the output acknowledges with the mark."""

    def shorten(self) -> None:
        """Close what is open and use a new connection for every call from now on."""

    def observe(self, within: float) -> Observation:
        """Ask which boot runs; raise NoAnswerError, at the latest after so many seconds."""

    def test(self, command: str, boot_id: str, within: float) -> Outcome:
        """Run a command on that boot; raise OtherBootError, or NoAnswerError in time."""

    def confirm(self, token: str, boot_id: str, within: float) -> Outcome:
        """Tell that boot that it works; the output acknowledges with the token. Raise as test."""

    def examine(self, questions: Questions, boot_id: str, within: float) -> Examination:
        """Ask what works on that boot; each command has its share of the time. Raise as test."""


class Keeper(t.Protocol):
    """What the host remembers of the role's runs."""

    def take(self, run: str) -> str:
        """Make a run the one that goes on with what the host remembers; return that."""

    def keep(self, run: str, note: str, *, known: bool) -> None:
        """Have the host remember a note, or nothing, of a run that it knows already or not.

        Raise OtherRunError, NoAnswerError, or RebootError of a host that must not be rebooted.
        """

    def tell(self) -> str:
        """What the host remembers; nothing is changed."""


class Prober(t.Protocol):
    """A way to see that the host answers which costs less than a login."""

    def answers(self) -> bool: ...


class Clock(t.Protocol):
    """Monotonic time."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened to a scripted host, and when."""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass, field

# A connection was accepted, turned away, logged in, or ended without a login; a command or a file
# transfer came; a module was run; an image was loaded; the order to leave was taken; the new system
# was told that it works; the host stopped answering, and answered again.
What = t.Literal[
    "connection", "penalised", "login", "unauthenticated", "command", "module", "order"
]
Life = t.Literal["loaded", "down", "up", "confirmed", "remembered"]


@dataclass(frozen=True)
class Event:
    """Times are those of the machine's monotonic clock, which all of its processes share."""

    time: float
    what: What | Life
    text: str = ""
    as_root: bool = False


@dataclass
class Journal:
    """Events in their order; read by the tests' thread while the host writes."""

    events: list[Event] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, what: What | Life, text: str = "", *, as_root: bool = False) -> None:
        with self._changed:
            self.events.append(Event(time.monotonic(), what, text, as_root))
            self._changed.notify_all()

    def wait_for(self, what: What | Life, text: str = "", *, seconds: float = 30.0) -> Event:
        """The first event of that kind whose text has these words, once it has happened."""
        if not self.wait_until(lambda: self.find(what, text) != [], seconds=seconds):
            raise TimeoutError(f"no {what} {text!r} in {seconds:g} seconds: {self.events}")
        return self.find(what, text)[0]

    def wait_until(self, condition: t.Callable[[], bool], *, seconds: float = 30.0) -> bool:
        """Wait for what the events tell; False if they do not."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def find(self, what: What | Life, text: str = "") -> list[Event]:
        return [event for event in self.events if event.what == what and text in event.text]

    def count(self, what: What | Life, text: str = "") -> int:
        return len(self.find(what, text))

    def before(self, what: What | Life) -> list[Event]:
        """The events up to the first of that kind; all of them if there is none."""
        first = next((i for i, e in enumerate(self.events) if e.what == what), len(self.events))
        return self.events[:first]

    def clear(self) -> None:
        with self._changed:
            self.events.clear()

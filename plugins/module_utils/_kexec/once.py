# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What is to last for one boot only: the token that proves a jump, and what guards it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .. import _cmdline
from .._image.choose import PREFLIGHT_ARGUMENTS, check_number
from .._jump.note import TOKEN
from .._jump.watchdog import DEVICE, Guard, uncovered
from .._reasons import ReasonError, reason

# The longest time that a guard of the jump may take, in seconds.
MAX_GUARD = 65535

LOAD_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **PREFLIGHT_ARGUMENTS,
    "state": {"type": "str", "choices": ["loaded", "unloaded"], "default": "loaded"},
    "token": {"type": "str", "no_log": False},
    "watchdog_timeout": {"type": "int", "default": 0},
    "confirm_timeout": {"type": "int", "default": 0},
}


@dataclass(frozen=True)
class Once:
    """What the user asked for, for the one boot that the image is loaded for."""

    token: str | None = None
    watchdog_timeout: int = 0
    confirm_timeout: int = 0


def once_of(params: t.Mapping[str, t.Any]) -> Once:
    """The user's options as a value."""
    once = Once(**{name: params[name] for name in ("token", "watchdog_timeout", "confirm_timeout")})
    if once.token is not None and not TOKEN.fullmatch(once.token):
        raise _token_invalid(once.token)
    check_number("watchdog_timeout", once.watchdog_timeout, MAX_GUARD)
    check_number("confirm_timeout", once.confirm_timeout, MAX_GUARD)
    return once


@dataclass(frozen=True)
class Timer:
    """The watchdog as it is to run over one jump."""

    driver: str
    timeout: int

    def as_dict(self) -> dict[str, t.Any]:
        return {"device": DEVICE, "driver": self.driver, "timeout": self.timeout}


@dataclass(frozen=True)
class Armed:
    """How one jump is guarded."""

    watchdog: Timer | None = None
    confirm: int = 0
    token: str | None = None

    @property
    def words(self) -> list[str]:
        """What the new system must know of it."""
        words = [f"{_cmdline.CONFIRM_PARAMETER}={self.confirm}"] if self.confirm else []
        if self.watchdog is not None:
            value = f"{self.watchdog.driver},{self.watchdog.timeout}"
            words.append(f"{_cmdline.WATCHDOG_PARAMETER}={value}")
        if self.token is not None:
            words.append(f"{_cmdline.TOKEN_PARAMETER}={self.token}")
        return words


def arm(guard: Guard, running: t.Sequence[str], once: Once) -> Armed:
    """Guard a jump as far as that is possible.

    Without the service nobody would feed the watchdog, and it would reset a system that works.
    """
    timer = _timer(guard, once.watchdog_timeout) if not uncovered(guard, running) else None
    return Armed(timer, once.confirm_timeout if guard.confirms else 0, once.token)


def _timer(guard: Guard, wanted: int) -> Timer | None:
    """As long as was asked for, or as the device can at most."""
    found = guard.watchdog
    if found is None or found.driver is None or not wanted:
        return None
    return Timer(found.driver, min(wanted, found.max_timeout or wanted))


def _token_invalid(token: str) -> ReasonError:
    return ReasonError(
        reason(
            "cmdline_invalid",
            f"The token {token!r} cannot stand on a command line.",
            "Use letters, digits, dots, dashes and underscores, at most 64 of them.",
        )
    )

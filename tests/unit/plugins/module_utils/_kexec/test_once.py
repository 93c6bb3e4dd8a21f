# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lasts for one boot: options that become words of a command line, as far as a host can."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.watchdog import (
    Guard,
    WatchdogDevice,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec.once import (
    Armed,
    Once,
    Timer,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError

PARAMS: dict[str, t.Any] = {"token": None, "watchdog_timeout": 0, "confirm_timeout": 0}

# --- The options ---------------------------------------------------------------------------


def test_once_of_no_option() -> None:
    assert once.once_of(PARAMS) == Once()


def test_once_of_every_option() -> None:
    params = {"token": "abc", "watchdog_timeout": 60, "confirm_timeout": 300, "kernel": "/k"}
    assert once.once_of(params) == Once("abc", 60, 300)


@pytest.mark.parametrize("name", ["watchdog_timeout", "confirm_timeout"])
@pytest.mark.parametrize("seconds", [0, 65535])
def test_once_takes_the_times_of_a_guard(name: str, seconds: int) -> None:
    assert getattr(once.once_of({**PARAMS, name: seconds}), name) == seconds


@pytest.mark.parametrize("token", ["a", "A-b_c.9", "x" * 64])
def test_once_takes_a_token(token: str) -> None:
    assert once.once_of({**PARAMS, "token": token}).token == token


WRONG: list[t.Any] = [
    *(
        pytest.param({"token": token}, f"The token {token!r}", "at most 64", id=f"token {name}")
        for name, token in {
            "empty": "",
            "too long": "x" * 65,
            "two words": "a b",
            "line feed": "a\n",
            "quote": 'a"b',
            "not ASCII": "\u00e4",
        }.items()
    ),
    *(
        pytest.param(
            {name: seconds},
            f"The option {name} is {seconds} and must be between 0 and 65535.",
            "It is a number of seconds; 0 switches it off.",
            id=f"{name} {seconds}",
        )
        for name in ("watchdog_timeout", "confirm_timeout")
        for seconds in (-1, 65536)
    ),
]


@pytest.mark.parametrize(("params", "message", "remedy"), WRONG)
def test_once_refuses(params: dict[str, t.Any], message: str, remedy: str) -> None:
    with pytest.raises(ReasonError) as caught:
        once.once_of({**PARAMS, **params})
    found = caught.value.reason
    assert (found.code, found.blocks) == ("cmdline_invalid", "reboot")
    assert message in found.message
    assert remedy in found.remedy


# --- What a host can guard -----------------------------------------------------------------

# What a virtual machine with -device i6300esb shows, booted with watchdog.stop_on_reboot=0.
CHIP = WatchdogDevice("i6300esb", "i6300ESB timer", False, False, 30, 2046, 0)
GUARD = Guard(CHIP, confirms=True)


def armed(timeout: int) -> Timer:
    return Timer("i6300esb", timeout)


@pytest.mark.parametrize(
    ("guard", "times", "expected"),
    [
        pytest.param(GUARD, (60, 300), Armed(armed(60), 300), id="both"),
        pytest.param(GUARD, (0, 300), Armed(None, 300), id="no watchdog wanted"),
        pytest.param(GUARD, (60, 0), Armed(armed(60)), id="no confirmation wanted"),
        pytest.param(GUARD, (0, 0), Armed(), id="nothing wanted"),
        pytest.param(GUARD, (9000, 300), Armed(armed(2046), 300), id="longer than it can"),
        pytest.param(
            replace(GUARD, watchdog=replace(CHIP, max_timeout=None)),
            (9000, 300),
            Armed(armed(9000), 300),
            id="longest time unknown",
        ),
        pytest.param(Guard(None, confirms=True), (60, 300), Armed(None, 300), id="no watchdog"),
        pytest.param(
            replace(GUARD, watchdog=replace(CHIP, stop_on_reboot=-1)),
            (60, 300),
            Armed(None, 300),
            id="does not survive",
        ),
        pytest.param(replace(GUARD, confirms=False), (60, 300), Armed(), id="no service"),
    ],
)
def test_arm(guard: Guard, times: tuple[int, int], expected: Armed) -> None:
    assert once.arm(guard, ["quiet"], Once(None, *times)) == expected


@pytest.mark.parametrize(
    ("guarded", "words"),
    [
        pytest.param(Armed(), [], id="nothing"),
        pytest.param(Armed(None, 300), ["alpinefleet_kexec.confirm=300"], id="confirmation"),
        pytest.param(Armed(armed(60)), ["alpinefleet_kexec.watchdog=i6300esb,60"], id="watchdog"),
        pytest.param(
            Armed(armed(60), 300),
            ["alpinefleet_kexec.confirm=300", "alpinefleet_kexec.watchdog=i6300esb,60"],
            id="both",
        ),
        pytest.param(Armed(token="abc"), ["alpinefleet_kexec.token=abc"], id="token"),
    ],
)
def test_words(guarded: Armed, words: list[str]) -> None:
    assert guarded.words == words

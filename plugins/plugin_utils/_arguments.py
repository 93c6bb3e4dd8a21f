# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The options of kexec_reboot."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import (
    IMAGE_ARGUMENTS,
    MUTUALLY_EXCLUSIVE,
    REQUIRED_IF,
)

from ._failure import RebootError

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    **IMAGE_ARGUMENTS,
    "method": {"type": "str", "choices": ["kexec", "firmware"], "default": "kexec"},
    "fallback": {"type": "str", "choices": ["firmware", "fail"], "default": "firmware"},
    "reboot_timeout": {"type": "float", "default": 600},
    "connect_timeout": {"type": "float", "default": 5},
    "pre_reboot_delay": {"type": "float", "default": 0},
    "post_reboot_delay": {"type": "float", "default": 0},
    "shutdown_timeout": {"type": "float", "default": 120},
    "test_command": {"type": "str", "default": "whoami"},
}

RULES: dict[str, t.Any] = {
    "mutually_exclusive": MUTUALLY_EXCLUSIVE,
    "required_if": REQUIRED_IF,
}

# Times that mean nothing at zero.
POSITIVE = ("reboot_timeout", "connect_timeout", "shutdown_timeout")
NOT_NEGATIVE = ("pre_reboot_delay", "post_reboot_delay")


def check(arguments: t.Mapping[str, t.Any]) -> None:
    """Refuse times that no reboot can keep."""
    for name in (*POSITIVE, *NOT_NEGATIVE):
        if not math.isfinite(arguments[name]):
            raise _out_of_range(name, arguments[name], "a number")
    for name in POSITIVE:
        if arguments[name] <= 0:
            raise _out_of_range(name, arguments[name], "more than 0")
    for name in NOT_NEGATIVE:
        if arguments[name] < 0:
            raise _out_of_range(name, arguments[name], "0 or more")
    if arguments["pre_reboot_delay"] >= arguments["reboot_timeout"]:
        # The task would fail, and the host would be rebooted afterwards.
        delay = arguments["pre_reboot_delay"]
        raise _out_of_range("pre_reboot_delay", delay, "less than reboot_timeout")


def _out_of_range(name: str, value: float, wanted: str) -> RebootError:
    return RebootError(
        "argument_invalid",
        f"The option {name} is {value:g} and must be {wanted}.",
        "It is a time in seconds.",
        stage="preflight",
        rebooted=False,
    )

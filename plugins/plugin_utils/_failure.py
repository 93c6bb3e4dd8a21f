# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""How a reboot can fail, as values that become results."""

from __future__ import annotations

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

Stage = t.Literal["preflight", "load", "trigger", "shutdown", "down", "verify", "test_command"]

# The codes that only the controller can find. The documentation lists them; a test compares.
FAILURES: dict[str, str] = {
    "local_connection": "The connection leads to the controller itself.",
    "module_failed": "The preflight could not run on the host.",
    "firmware_boots_other_kernel": "Firmware would boot another kernel than the one asked for.",
    "trigger_failed": "The host refused to start the shutdown.",
    "trigger_lost": "The shutdown never started.",
    "already_leaving": "The host is being rebooted by somebody else.",
    "did_not_go_down": "The shutdown started and did not come to an end.",
    "did_not_return": "The host went down and did not come back in time.",
    "host_key_changed": "The host came back under another host key.",
    "authentication_refused": "The host came back and refuses the login.",
    "wrong_kernel": "Another kernel came up than the one that was expected.",
    "wrong_method": "The host did not come up in the way that was asked for.",
    "test_command_failed": "The host came back and the test command does not succeed.",
}


class RebootError(Exception):
    """A reboot that cannot be called done."""

    def __init__(
        self,
        code: str,
        message: str,
        remedy: str,
        *,
        stage: Stage,
        rebooted: bool | None,
        **details: t.Any,
    ) -> None:
        super().__init__(f"{message} {remedy}")
        self.reason = Reason(code, message, remedy, "reboot")
        self.stage = stage
        self.rebooted = rebooted
        self.details = details

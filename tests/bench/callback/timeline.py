# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes when each task of each host began and ended, one line of JSON each."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: timeline
type: notification
short_description: Write when each task began and ended as a line of JSON
version_added: 1.0.0
description:
  - Writes host, task, status, both times and a few values of the result to the file that E(ALPINEFLEET_TIMELINE) names.
"""

FILE = "ALPINEFLEET_TIMELINE"
# Whole results of a thousand hosts would cost more than what is measured.
KEPT = ("downtime", "elapsed", "method", "msg", "rebooted", "timings")


class CallbackModule(CallbackBase):
    """When things happened, on the clock that all processes of a machine share."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "timeline"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[tuple[str, str], float] = {}

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._started[host.get_name(), task.get_name()] = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        # It failed, whatever the play makes of it.
        del ignore_errors
        self._write("failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._write("unreachable", result)

    def _write(self, status: str, result: t.Any) -> None:
        ended = time.monotonic()
        host, task = result.host.get_name(), result.task.get_name()
        line = {
            "host": host,
            "task": task,
            "status": status,
            "started": self._started[host, task],
            "ended": ended,
            "result": {name: result.result[name] for name in KEPT if name in result.result},
        }
        with open(os.environ[FILE], "a", encoding="utf-8") as timeline:
            timeline.write(json.dumps(line, default=str) + "\n")

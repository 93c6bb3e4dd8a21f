# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the result of each task to a file, one line of JSON each, for a test to read."""

from __future__ import annotations

import gc
import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import filter_loader, test_loader

DOCUMENTATION = r"""
name: record
type: notification
short_description: Write the result of each task as a line of JSON
version_added: 1.0.0
description:
  - Writes host, task, status and result of each task to the file that E(ALPINEFLEET_RECORD) names.
"""

FILE = "ALPINEFLEET_RECORD"

# Each task of each host has a process of its own, a copy of this one. Without this each of them would
# read all filters and tests of Ansible anew, and copy memory only to look for garbage in it.
for loader in (filter_loader, test_loader):
    list(loader.all())
gc.freeze()


class CallbackModule(CallbackBase):
    """What a play did, for a program."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        # It failed, whatever the play makes of it.
        del ignore_errors
        self._write("failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._write("unreachable", result)

    def _write(self, status: str, result: t.Any) -> None:
        line = {
            "host": result.host.get_name(),
            "task": result.task.get_name(),
            "status": status,
            "result": result.result,
        }
        with open(os.environ[FILE], "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str) + "\n")

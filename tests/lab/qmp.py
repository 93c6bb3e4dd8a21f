# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's control socket: one command per connection."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any, TextIO

from .errors import LabError
from .qemu import QMP_SOCKET

SECONDS = 10.0


Arguments = dict[str, object]


def execute(folder: Path, command: str, arguments: Arguments | None = None) -> Any:
    """Run a QMP command on the machine of this directory and return its result."""
    try:
        return _execute(folder, command, arguments)
    except OSError as error:
        raise LabError(
            "qmp",
            f"QEMU does not answer on {folder / QMP_SOCKET}: {error}",
            "see `python -m tests.lab status`; a machine that was powered off has no QEMU",
        ) from error


def _execute(folder: Path, command: str, arguments: Arguments | None) -> Any:
    # The path through /proc is short, however deep the cache lies.
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SECONDS)
            connection.connect(f"/proc/self/fd/{handle}/{QMP_SOCKET}")
            with connection.makefile("r", encoding="utf-8") as answers:
                answers.readline()
                _ask(connection, answers, "qmp_capabilities")
                return _ask(connection, answers, command, arguments)
    finally:
        os.close(handle)


def _ask(
    connection: socket.socket, answers: TextIO, command: str, arguments: Arguments | None = None
) -> Any:
    # Not one stream for both: a text stream forgets what it read ahead when it is written to.
    request = {"execute": command, "arguments": arguments or {}}
    connection.sendall(json.dumps(request).encode() + b"\n")
    while line := answers.readline():
        answer = json.loads(line)
        if "return" in answer:
            return answer["return"]
        if "error" in answer:
            found = f"QEMU refused {command}: {answer['error'].get('desc')}"
            raise LabError("qmp-refused", found, "see `python -m tests.lab status`")
    raise ConnectionResetError("the connection was closed")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The file on the controller that a report is written to, which is whole at any time."""

from __future__ import annotations

import contextlib
import os
import re
import select
import stat
import tempfile
import time
import typing as t
from pathlib import Path

from .._step import StepError

MODE = 0o644
# Of a name, with what a draft has around it.
NAME_BYTES = 240
# What is no file and can be written into; a disk would lose what is on it.
STREAMS = (stat.S_IFIFO, stat.S_IFCHR)
# How long whoever reads from a pipe may take, before a report is not written.
STREAM_SECONDS = 10.0
# Names of what a process has open. A task has nothing open there; ansible-playbook, which has started it, has.
_OPEN = re.compile(r"/dev/(?:(stdin|stdout|stderr)|fd/([0-9]+))|/proc/self/fd/([0-9]+)")
_NUMBERS = {"stdin": "0", "stdout": "1", "stderr": "2"}


def path_of(given: object) -> str:
    """The absolute path, as the shell of the user understands it; none if no report is wanted.

    What would not work at the end is refused now, before a host is rebooted.
    """
    if given in (None, ""):
        return ""
    if not (isinstance(given, str) and given.isprintable()):
        raise StepError(
            f"The report cannot be written to {given!r}, which is no name of a file.",
            "Name one; nothing was done.",
        )
    named = _of_controller(os.path.abspath(os.path.expanduser(given)))
    if _is_stream(named):
        if os.access(named, os.W_OK):
            return named
        raise _unfit(named)
    path = os.path.realpath(named)
    # A file that a process has open is overwritten by it, and lost to it if it is replaced.
    if _is_open(named) or not _can_be_made(path):
        raise _unfit(path)
    return path


def _unfit(path: str) -> StepError:
    return StepError(
        f"The report cannot be written to {path}: it must be a file in a folder that is there "
        f"and can be written to, with a name of at most {NAME_BYTES} bytes, or a pipe or a terminal, "
        "and none that a process writes to already.",
        "Name another one; nothing was done.",
    )


def _of_controller(path: str) -> str:
    found = _OPEN.fullmatch(path)
    if found is None:
        return path
    number = _NUMBERS.get(found[1]) or found[2] or found[3]
    return f"/proc/{os.getppid()}/fd/{number}"


def _mode(path: str) -> int:
    """The type of what is there, whatever leads to it; 0 of nothing."""
    with contextlib.suppress(OSError):
        return stat.S_IFMT(os.stat(path).st_mode)
    return 0


def _is_stream(path: str) -> bool:
    """Whether it is written into, and not replaced."""
    return _mode(path) in STREAMS


def _is_open(path: str) -> bool:
    return path.startswith("/proc/")


def _can_be_made(path: str) -> bool:
    folder, name = os.path.split(path)
    fits = len(os.fsencode(name)) <= NAME_BYTES and _mode(path) in (0, stat.S_IFREG)
    return fits and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def write(path: str, text: str) -> None:
    try:
        if _is_stream(path):
            _write_into(path, text.encode("utf-8"))
        else:
            _replace(path, text)
    except OSError as error:
        raise StepError(
            f"The report could not be written to {path}: {error.strerror or error}.",
            "Take it from what is shown.",
        ) from None


def _write_into(path: str, data: bytes) -> None:
    """To a pipe that nobody reads from it is not written, and nobody is waited for who has stopped."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY)
    deadline = time.monotonic() + STREAM_SECONDS
    with os.fdopen(descriptor, "wb", buffering=0) as stream:
        while data:
            left = max(0.0, deadline - time.monotonic())
            _reads, ready, _errors = select.select([], [stream], [], left)
            if not ready:
                raise TimeoutError(f"nobody has read from it for {STREAM_SECONDS:g} seconds")
            data = data[t.cast("int", stream.write(data) or 0) :]


def _replace(path: str, text: str) -> None:
    folder, name = os.path.split(path)
    if _is_open(path) or _mode(path) not in (0, stat.S_IFREG):
        # It was none when that was looked at.
        raise FileExistsError("it is no file any more")
    # Whatever fails, nothing is left beside it.
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as drafts:
        draft = Path(drafts, name)
        draft.write_text(text, encoding="utf-8")
        draft.chmod(MODE)
        draft.replace(path)

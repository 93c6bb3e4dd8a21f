# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Death at any call: for tests of what a power cut or SIGKILL leaves behind."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import traceback
import types
import typing as t


def die_at(
    number: int, sources: tuple[str, ...]
) -> t.Callable[[types.FrameType, str, t.Any], None]:
    """A profiler that ends its process before the nth call into Python's own functions from there."""
    calls = itertools.count(1)

    def look(frame: types.FrameType, event: str, _argument: t.Any) -> None:
        own = event == "c_call" and frame.f_code.co_filename.endswith(sources)
        if own and next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return look


def calls_survived(module: str, case: str) -> int:
    """How many deaths the function "main" of a test's module tries, in a process without pytest's threads."""
    completed = subprocess.run(
        [sys.executable, "-c", f"import {module} as this; this.main({case!r})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert completed.returncode == 0, completed.stderr
    return int(completed.stdout)


def ended(work: t.Callable[[], None]) -> int:
    """How a child ends: its exit status, or minus the signal."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

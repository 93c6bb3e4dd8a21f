# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the guard of the running kernel has found by the host's own checks.

It asks them once the services of the default runlevel run, so that a boot that hangs is not found well.
"""

from __future__ import annotations

import typing as t

from .. import _cmdline
from .._host import notes
from .._host.port import Host

LOOK_SECONDS = 1.0
PASSED, FAILED = "passed", "failed"
NOT_ENDED = "its services have not all come up, or a check has not ended"


def told(host: Host, run: str) -> tuple[str, str] | None:
    """The verdict and why, None as long as there is none for this run."""
    said, verdict, why = [*(host.line(notes.CHECKED) or "").split(" ", 2), "", ""][:3]
    return (verdict, why) if said == run and verdict in (PASSED, FAILED) else None


def fault(host: Host, run: str) -> str | None:
    """What the host's own checks have against the running kernel."""
    found = told(host, run)
    return found[1] if found is not None and found[0] == FAILED else None


def objection(host: Host, run: str) -> str | None:
    """Why a run must not find the running kernel well, None if it may, or if no guard of it is there."""
    if not _is_asked(host, run):
        return None
    return NOT_ENDED if told(host, run) is None else fault(host, run)


def wait(host: Host, run: str, seconds: int, sleep: t.Callable[[float], None]) -> None:
    """Until there is a verdict, or the time is over."""
    for _each in range(seconds):
        if not _is_asked(host, run) or told(host, run) is not None:
            return
        sleep(LOOK_SECONDS)


def _is_asked(host: Host, run: str) -> bool:
    """Whether the running kernel has a guard of this run, which nobody has ended as yet."""
    words = _cmdline.running_words(host.line("/proc/cmdline") or "")
    names = (_cmdline.TRIAL_PARAMETER, _cmdline.PROOF_PARAMETER)
    guarded = run in [_cmdline.last_value(words, each) for each in names]
    return guarded and host.line(notes.VERIFIED) != run

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""An upper bound on a call that has none of its own."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import typing as t


class CallTimeoutError(BaseException):
    """The call took too long.

    Not an Exception: Ansible's ssh connection answers each of those with another attempt.
    """


@contextlib.contextmanager
def limit(seconds: float) -> t.Iterator[None]:
    """Interrupt the block after so many seconds.

    An ssh client can wait forever for a host that vanished while it logged in. A timer that is
    set already, such as that of the timeout keyword, is set again afterwards, and wins if it is
    due first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer_due, _interval = signal.getitimer(signal.ITIMER_REAL)
    if 0 < outer_due <= seconds:
        yield
        return
    started = time.monotonic()
    outer_handler = signal.signal(signal.SIGALRM, _interrupt)
    # No time at all would mean no limit at all.
    signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))
    try:
        yield
    finally:
        try:
            # A signal may come just before this.
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, outer_handler)
            if outer_due:
                left = max(0.001, outer_due - (time.monotonic() - started))
                signal.setitimer(signal.ITIMER_REAL, left)


def _interrupt(_number: int, _frame: t.Any) -> None:
    raise CallTimeoutError

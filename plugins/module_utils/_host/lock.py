# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The one lock of everything that changes the host: it is that of a directory in /run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import typing as t

from . import notes
from .port import Host


@contextlib.contextmanager
def run_directory(host: Host) -> t.Iterator[str]:
    """The real path of a directory that nobody else can change, held by one run at a time.

    A run that is killed holds it until the command that it had started has ended, too. Whoever holds
    it already goes on holding it.
    """
    path = host.real(notes.RUN)
    if host.inherited:
        yield path
        return
    os.makedirs(path, mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"{notes.RUN} can be changed by other users")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        host.inherited = (descriptor,)
        yield path
    finally:
        host.inherited = ()
        os.close(descriptor)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""An image that the service kexec-load loaded before it locked kexec: it runs, and no other can."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from .._host.port import FROZEN, FileProblemError, Host, lines

TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
SUM = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<path>/.+)")
CHUNK = 1 << 20


@dataclass(frozen=True)
class Frozen:
    """What was loaded, and whether its files are still what they were then."""

    token: str
    cmdline: str
    kernel: str
    initramfs: tuple[str, ...]
    current: bool


def read(host: Host) -> Frozen | None:
    """The note of the service, None if there is none or it is not one.

    It is the token, the command line, and the files as sha256sum prints them.
    """
    rows = lines(host.text(FROZEN) or "")
    sums = [SUM.fullmatch(line) for line in rows[2:]]
    found = [(match["path"], match["sum"]) for match in sums if match]
    if not found or len(found) < len(sums) or not TOKEN.fullmatch(rows[0]):
        return None
    paths = [path for path, _sum in found]
    current = all(_sum_of(host, path) == expected for path, expected in found)
    return Frozen(rows[0], rows[1], paths[0], tuple(paths[1:]), current)


def _sum_of(host: Host, path: str) -> str | None:
    total = hashlib.sha256()
    try:
        with host.open(path) as file:
            for chunk in iter(lambda: file.read(CHUNK), b""):
                total.update(chunk)
    except (FileProblemError, OSError):
        return None
    return total.hexdigest()

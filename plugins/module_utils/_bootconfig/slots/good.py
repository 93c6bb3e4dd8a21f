# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The note for the services of a host: which slot firmware boots, by the menu as it was written.

Nobody has to trust it: it says of which menu it is, and says nothing of another one. It is written
after the menu, so that a cut between the two leaves a reboot to firmware.
"""

from __future__ import annotations

import hashlib

from ... import _cmdline
from ..._host.port import Host
from ..._write.files import Writer, read_or_refuse
from .entry import SlotEntry

# Beside the slots. Its form is in docs/notes-on-hosts.md, and its reader is the service kexec-load.
GOOD_NOTE = "/boot/alpinefleet-kexec/good"
_LINES = 4


def text_of(entry: SlotEntry, menu: str, content: bytes) -> str:
    """What the note says of a slot that a menu with that content boots."""
    words = _cmdline.strip_transient(_cmdline.split(entry.cmdline))
    digest = hashlib.sha256(content).hexdigest()
    return f"{entry.id}\n{menu}\n{digest}\n{_cmdline.join(words)}\n"


def ensure(host: Host, entry: SlotEntry | None, menu: str, *, check_mode: bool) -> bool:
    """Have the note say which slot the menu boots, or have none; tell whether that is a change."""
    wanted = None if entry is None else _wanted(host, entry, menu)
    if read_or_refuse(host, GOOD_NOTE) == wanted:
        return False
    if check_mode:
        return True
    if wanted is None:
        Writer(host).discard(GOOD_NOTE)
    else:
        Writer(host).write(GOOD_NOTE, wanted)
    return True


def _wanted(host: Host, entry: SlotEntry, menu: str) -> bytes | None:
    """What the note is to be, None where it cannot say that: a reboot is left to firmware then."""
    content = read_or_refuse(host, menu)
    text = None if content is None else text_of(entry, menu, content)
    return text.encode() if text is not None and text.count("\n") == _LINES else None

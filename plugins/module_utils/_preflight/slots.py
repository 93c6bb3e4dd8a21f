# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What names, sizes and times tell of slots: kernel_slot reads them, and this goes to every host."""

from __future__ import annotations

import json
import os
import time
import typing as t

from .._host.port import Host
from .._host.slot_places import SLOTS_FOLDER

OF_APK = ("vmlinuz", "initramfs")


def read(host: Host, kernel: str | None) -> dict[str, t.Any] | None:
    """The slots, given the kernel that firmware boots; None where there are none."""
    names = [name for name in host.names(SLOTS_FOLDER) if host.is_dir(f"{SLOTS_FOLDER}/{name}")]
    names = [name for name in names if not name.startswith(".")]
    good = next((name for name in names if f"{SLOTS_FOLDER}/{name}/linux" == kernel), None)
    if not names:
        return None
    whole, newer = (None, None) if good is None else _look(host, good)
    others = [name for name in names if name != good]
    return {"good": good, "others": others, "whole": whole, "newer": newer}


def _look(host: Host, good: str) -> tuple[bool, str | None]:
    """Whether all files of a slot have their size, and since when apk has later ones."""
    try:
        found = json.loads(host.text(f"{SLOTS_FOLDER}/{good}/manifest") or "")
        sizes = [
            _stat(host, good, name).st_size == each[1] for name, each in found["files"].items()
        ]
        made = _stat(host, good, "manifest").st_mtime
        later = max(_time_of(host, f"{kind}-{found['flavour']}") for kind in OF_APK)
    except (AttributeError, IndexError, KeyError, OSError, RecursionError, TypeError, ValueError):
        return False, None
    told = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(later))
    return all(sizes), told if later > made else None


def _time_of(host: Host, name: str) -> float:
    """When a file of apk was written, or mkinitfs made it, long ago if there is none."""
    try:
        return os.stat(host.real(f"/boot/{name}")).st_mtime
    except OSError:
        return 0.0


def _stat(host: Host, slot: str, name: str) -> os.stat_result:
    return os.stat(host.real(f"{SLOTS_FOLDER}/{slot}/{name}"))

# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""A slot that boots once through firmware, whatever the default is."""

from __future__ import annotations

import os
import re
import typing as t

from ..._bootloader.loaders.extlinux import CORES
from ..._bootloader.loaders.grub import NEXT_ENTRY, block_of
from ..._host.lock import run_directory
from ..._host.mounts import Mount, mount_of
from ..._host.port import Host
from ..._reasons import Reason, ReasonError, reason
from ..change import not_held
from . import next_boot, see
from .entry import label_of
from .see import Menued

_EXTLINUX, _EDITENV = "extlinux", "grub-editenv"
# From which GRUB on it keeps its variables where btrfs leaves room for a boot loader.
BTRFS_SINCE = (2, 14)
# What GRUB reads and never writes: arrays, volumes, and file systems that move what is written.
_ARRAYS = re.compile(r"/dev/(?:md|mapper/|dm-)")
_NO_WRITES = ("zfs", "squashfs", "iso9660")


def can_once(host: Host) -> Reason | None:
    """Why this boot loader cannot boot an entry once, None if it can."""
    return _refusal(host, see.see(host))


def _refusal(host: Host, seen: Menued) -> Reason | None:
    loader = seen.settings.loader
    if loader == "grub":
        return _refusal_of_grub(host, seen)
    if loader != "extlinux":
        return _unsupported(f"{loader} has no order for one boot")
    if _core(host) is None:
        return _unsupported("no ldlinux.sys is where extlinux would be installed")
    return None if host.find(_EXTLINUX) else _unsupported(f"{_EXTLINUX} is not installed")


def _refusal_of_grub(host: Host, seen: Menued) -> Reason | None:
    if not host.find(_EDITENV):
        return _unsupported(f"{_EDITENV} is not installed")
    if NEXT_ENTRY not in (host.text(seen.site.menu) or ""):
        return _unsupported(f"{seen.site.menu} does not look for {NEXT_ENTRY}")
    why = unwritable_by_grub(mount_of(host, seen.site.menu), _version(host))
    return None if why is None else _unsupported(why)


def unwritable_by_grub(mount: Mount, version: tuple[int, ...]) -> str | None:
    """Why an order would stay for ever: GRUB could not take it back at the boot that it is for."""
    if _ARRAYS.match(mount.device):
        return f"GRUB cannot write to {mount.device}, and would boot the slot again and again"
    old = mount.type == "btrfs" and version < BTRFS_SINCE
    if old or mount.type in _NO_WRITES:
        return f"GRUB cannot write to {mount.type}, and would boot the slot again and again"
    return None


def _version(host: Host) -> tuple[int, ...]:
    said = host.run([str(host.find(_EDITENV)), "--version"]).stdout
    found = re.search(r"([0-9]+)\.([0-9]+)", said)
    return tuple(map(int, found.groups())) if found else (0,)


def once(host: Host, slot: str, *, check_mode: bool) -> dict[str, t.Any]:
    """Have the next boot through firmware, and only that one, boot a slot; returns changed."""
    seen = see.see(host)
    refused = _refusal(host, seen)
    if refused is None and slot not in seen.listed:
        refused = _unsupported(f"{seen.site.menu} has no entry {label_of(slot)}")
    if refused is not None:
        raise ReasonError(refused)
    return _ordered(host, seen, slot, check_mode=check_mode)


def clear_once(host: Host, *, check_mode: bool = False) -> dict[str, t.Any]:
    """Take such an order of ours back; returns changed. One of somebody else's stays."""
    seen = see.see(host)
    return _ordered(host, seen, None, check_mode=check_mode)


def _ordered(host: Host, seen: Menued, slot: str | None, *, check_mode: bool) -> dict[str, t.Any]:
    changed = next_boot.pending(host, seen) != slot
    if changed and not check_mode:
        try:
            with run_directory(host):
                _order(host, seen, slot)
        except OSError as error:
            raise not_held(error) from error
    return {"changed": changed}


def _order(host: Host, seen: Menued, slot: str | None) -> None:
    is_grub = seen.settings.loader == "grub"
    command, path = _order_of_grub(seen, slot) if is_grub else _order_of_extlinux(host, slot)
    found = host.find(command[0])
    if found is None:
        raise ReasonError(_unsupported(f"{command[0]} is not installed"))
    outcome = host.run([found, *command[1:]])
    # Boot loaders read the disk as it is.
    host.checkpoint(os.path.dirname(os.path.realpath(host.real(path))))
    if outcome.rc != 0 or next_boot.pending(host, seen) != slot:
        why = f"{command[0]} failed {outcome.told}" if outcome.rc else f"{command[0]} had no effect"
        raise ReasonError(_unsupported(why))


def _order_of_grub(seen: Menued, slot: str | None) -> tuple[list[str], str]:
    block = block_of(seen.site.menu)
    what = ["unset", NEXT_ENTRY] if slot is None else ["set", f"{NEXT_ENTRY}={label_of(slot)}"]
    return [_EDITENV, block, *what], block


def _order_of_extlinux(host: Host, slot: str | None) -> tuple[list[str], str]:
    core = _core(host) or CORES[0]
    what = "--clear-once" if slot is None else f"--once={label_of(slot)}"
    return [_EXTLINUX, what, os.path.dirname(core)], core


def _core(host: Host) -> str | None:
    return next((path for path in CORES if host.exists(path)), None)


def _unsupported(why: str) -> Reason:
    return reason(
        "cold_proof_unsupported",
        f"The boot loader cannot boot a slot once through firmware: {why}.",
        "Commit without a cold proof, or mend what is missing.",
    )

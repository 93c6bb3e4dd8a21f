# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What stands between a kernel and its root file system: a module, or somebody at the console."""

from __future__ import annotations

import typing as t

from .. import _cmdline
from .._reasons import Reason, reason

# What names an encrypted root for the initramfs of mkinitfs, dracut and mkinitcpio, and its key.
_LOCKED = ("cryptroot", "cryptdevice", "rd.luks.uuid", "rd.luks.name")
_KEYS = ("cryptkey", "rd.luks.key")
# File systems of disks that are a module of their own, and those that another one mounts.
_FILE_SYSTEMS = ("bcachefs", "btrfs", "erofs", "ext4", "f2fs", "jfs", "squashfs", "xfs", "zfs")
_MOUNTED_BY = {"ext2": "ext4", "ext3": "ext4"}


def judge(words: t.Sequence[str], modules: t.Collection[str] | None) -> t.Iterator[Reason]:
    """Advice on a command line, given the MODULES that the kernel will have; None if not known."""
    given = _cmdline.kernel_part(words)[0]
    locked = next((word for word in given if _cmdline.name_of(word) in _LOCKED), None)
    if locked is not None and not any(_cmdline.name_of(word) in _KEYS for word in given):
        yield _passphrase_needed(locked)
    if modules is not None:
        yield from (
            _lacks_module(module, word)
            for module, word in _needed(given, locked).items()
            if module not in modules
        )


def _needed(words: t.Sequence[str], locked: str | None) -> dict[str, str]:
    """The modules without which the root file system is not found, and the word that says so."""
    needed = {} if locked is None else {"dm_crypt": locked}
    kind = _cmdline.last_value(words, "rootfstype") or ""
    module = _MOUNTED_BY.get(kind, kind)
    if module in _FILE_SYSTEMS:
        needed[module] = f"rootfstype={kind}"
    root = _cmdline.last_value(words, "root") or ""
    if root.lower().startswith(("zfs=", "zfs:")):
        needed["zfs"] = f"root={root}"
    return needed


def _passphrase_needed(word: str) -> Reason:
    return reason(
        "passphrase_needed",
        f"The command line has {word} and names no key: if the initramfs has no other means, somebody "
        "must type a passphrase after the jump, as after each boot.",
        "Be at the console, or have an ssh server in the initramfs and set other_host_key to wait.",
    )


def _lacks_module(module: str, word: str) -> Reason:
    return reason(
        "initramfs_lacks_module",
        f"The command line has {word}, and the module {module} is neither in the initramfs nor a part "
        "of the kernel: the root file system may not be found.",
        "Add what has it to the features in /etc/mkinitfs/mkinitfs.conf and run mkinitfs.",
    )

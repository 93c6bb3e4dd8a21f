# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a root file system that the new kernel may not get at."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.judge import judge_root

PASSPHRASE, LACKS = "passphrase_needed", "initramfs_lacks_module"
ALL = {"dm_crypt", "zfs", "ext4", "xfs", "btrfs"}

ADVICE: dict[str, tuple[str, set[str] | None, list[str]]] = {
    "a disk as it is": ("root=UUID=1 modules=ext4 rootfstype=ext4", ALL, []),
    "mkinitfs, a passphrase": ("root=/dev/mapper/r cryptroot=UUID=2 cryptdm=r", ALL, [PASSPHRASE]),
    "mkinitfs, its own key file": ("root=/dev/mapper/r cryptroot=UUID=2 cryptkey", ALL, []),
    "mkinitfs, a key file": ("root=/dev/mapper/r cryptroot=UUID=2 cryptkey=/k.bin", ALL, []),
    "dracut, a passphrase": ("root=UUID=1 rd.luks.uuid=2", ALL, [PASSPHRASE]),
    "dracut, a key file": ("root=UUID=1 rd.luks.uuid=2 rd.luks.key=/k", ALL, []),
    "mkinitcpio, a passphrase": ("cryptdevice=UUID=2:r root=/dev/mapper/r", ALL, [PASSPHRASE]),
    "for init and not for the kernel": ("root=UUID=1 -- cryptroot=UUID=2", set(), []),
    "a word that only begins so": ("root=UUID=1 cryptroots=2", ALL, []),
    "encrypted, and no module for it": ("cryptroot=UUID=2 cryptkey", {"ext4"}, [LACKS]),
    "both": ("cryptroot=UUID=2", {"ext4"}, [PASSPHRASE, LACKS]),
    "ZFS": ("root=ZFS=pool/root", ALL, []),
    "ZFS without its module": ("root=ZFS=pool/root", {"ext4"}, [LACKS]),
    "ZFS as dracut names it": ("root=zfs:pool/root", {"ext4"}, [LACKS]),
    "ZFS by its type": ("root=pool/root rootfstype=zfs", {"ext4"}, [LACKS]),
    "the last root counts": ("root=ZFS=pool/root root=UUID=1", set(), []),
    "xfs without its module": ("root=UUID=1 rootfstype=xfs", {"ext4"}, [LACKS]),
    "an older ext": ("root=UUID=1 rootfstype=ext3", {"ext4"}, []),
    "a type that is no module": ("root=tmpfs rootfstype=tmpfs", set(), []),
    "what the initramfs has is not known": ("root=ZFS=pool/root", None, []),
}


@pytest.mark.parametrize(("cmdline", "modules", "codes"), ADVICE.values(), ids=ADVICE)
def test_advice_on_the_root(cmdline: str, modules: set[str] | None, codes: list[str]) -> None:
    found = list(judge_root(_cmdline.split(cmdline), modules))
    assert [each.code for each in found] == codes
    assert {each.blocks for each in found} <= {"nothing"}


def test_advice_names_what_says_so() -> None:
    (found,) = judge_root(["root=ZFS=pool/root"], set())
    assert "root=ZFS=pool/root, and the module zfs is neither" in found.message

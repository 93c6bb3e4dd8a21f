# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GRUB is on every firmware: its settings, its menu, its modules and its core image.

The menu is what grub-mkconfig itself writes, once per image, with a mark in the place of the kernel
options. grub-mkconfig copies GRUB_CMDLINE_LINUX_DEFAULT unchanged, so the options of a machine are
put where the mark is, and the machine's own grub-mkconfig comes to the same entry.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ..commands import run
from .loader import FILES, MODULES, BootFiles

SETTINGS = "etc/default/grub"
MENU = "boot/grub/grub.cfg"
MARK = "@KERNEL_OPTIONS@"
STAND_IN = "grub-probe"
# GRUB is not on any disk yet while its package is installed, so that its trigger would fail.
WHILE_INSTALLING = {"etc/update-grub.conf": "disable_trigger=1\n"}
# All that the core image needs to find the root file system, where the other modules are.
CORE_MODULES = ("part_gpt", "ext2", "search_fs_uuid")


@dataclass(frozen=True)
class Platform:
    """GRUB on one kind of firmware."""

    name: str
    core: str
    """The name of the core image beside the modules, as grub-install has it."""
    disk_modules: tuple[str, ...] = ()
    """What the core image needs to read a disk at all."""

    @property
    def modules(self) -> str:
        return f"usr/lib/grub/{self.name}"

    @property
    def folder(self) -> str:
        return f"boot/grub/{self.name}"


def settings(options: str) -> str:
    """Return the text of /etc/default/grub: Alpine's four settings, and the serial console."""
    return f"""\
GRUB_TIMEOUT=1
GRUB_DISABLE_SUBMENU=y
GRUB_DISABLE_RECOVERY=true
GRUB_CMDLINE_LINUX_DEFAULT="modules={MODULES} {options}"
GRUB_TERMINAL=serial
GRUB_SERIAL_COMMAND="serial --speed=115200"
"""


def configure(boot: BootFiles, options: str) -> dict[str, str]:
    """Return the settings and the menu for these kernel options."""
    return {SETTINGS: settings(options), MENU: boot.files[MENU].replace(MARK, options)}


def early_config(uuid: str) -> str:
    """Return what the core image does first, in the words of grub-install."""
    return f"search.fs_uuid {uuid} root\nset prefix=($root)'/boot/grub'\n"


def stage(platform: Platform, tree: Path, uuid: str) -> None:
    """Put modules, core image, environment block and menu into /boot/grub."""
    folder = tree / platform.folder
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.mod", "*.lst"):
        for path in (tree / platform.modules).glob(pattern):
            shutil.copy2(path, folder / path.name)
    _make_core(platform, tree, uuid)
    run(["chroot", tree, "/usr/bin/grub-editenv", "/boot/grub/grubenv", "create"], code="loader")
    _write_menu(tree, uuid)


def _make_core(platform: Platform, tree: Path, uuid: str) -> None:
    early = f"{platform.folder}/load.cfg"
    (tree / early).write_text(early_config(uuid), encoding="utf-8")
    argv: list[str | Path] = ["chroot", tree, "/usr/bin/grub-mkimage", "--format", platform.name]
    argv += ["--directory", f"/{platform.modules}", "--prefix", "/boot/grub"]
    argv += ["--config", f"/{early}", "--output", f"/{platform.folder}/{platform.core}"]
    run([*argv, *platform.disk_modules, *CORE_MODULES], code="loader")


def _write_menu(tree: Path, uuid: str) -> None:
    """Run grub-mkconfig in the tree, which is no file system of its own yet.

    Therefore grub-probe is covered by a stand-in that answers for the finished disk. The mounts
    live in a namespace of their own and end with it.
    """
    (tree / SETTINGS).parent.mkdir(parents=True, exist_ok=True)
    (tree / SETTINGS).write_text(settings(MARK), encoding="utf-8")
    probe = tree.with_name(STAND_IN)
    shutil.copy(FILES / STAND_IN, probe)
    probe.chmod(0o755)
    script = (
        'mount --bind "$1" "$2/usr/sbin/grub-probe" && mount --bind /dev "$2/dev" && '
        'exec chroot "$2" /usr/sbin/grub-mkconfig -o "/$3"'
    )
    argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", script, "sh", probe, tree, MENU]
    remedy = "mounts must be allowed: run as root, not in a container"
    run(argv, env={"PROBE_UUID": uuid}, code="loader", remedy=remedy)
    probe.unlink()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot loaders: what each puts on the disk, and where each keeps the command line.

A further loader is one more module with the same three functions and one more line in LOADERS.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import config
from .commands import run

STAND_IN = Path(__file__).parent / "files" / "update-extlinux"
MODULES = "sd-mod,usb-storage,ext4"
MENU_MODULES = ("ldlinux.c32", "libcom32.c32", "libutil.c32", "menu.c32")


@dataclass(frozen=True)
class BootFiles:
    """What the boot menu is made from, kept beside the image."""

    uuid: str
    kernels: Mapping[str, str]
    """Path and text of files; of kernels and initramfs files only the names matter."""


@dataclass(frozen=True)
class Loader:
    """How one boot loader is installed and told the command line."""

    stage: Callable[[Path], None]
    """Put the loader's files into the tree, before the file system is made."""
    install: Callable[[Path, Path], None]
    """Put the loader (from the tree) on the disk that holds the finished file system."""
    configure: Callable[[BootFiles, str], dict[str, str]]
    """Return the files, by path, that make the loader pass these kernel options."""


def kernel_options(*, locked: bool = False, append: str = "") -> str:
    """Return the lab's kernel options, without root= and modules=.

    nokaslr makes the jump's time steady under emulation; a kernel that kexec started reads the
    same line, so kexec_load_disabled=0 keeps the chain of kexecs unbroken.
    """
    words = ["quiet", "rootfstype=ext4", "console=ttyS0,115200", "nokaslr"]
    if not locked:
        words.append("kexec_load_disabled=0")
    return " ".join([*words, *append.split()])


def extlinux_settings(uuid: str, options: str) -> str:
    """Return the text of /etc/update-extlinux.conf with the keys that Alpine's has."""
    return f"""\
# Settings of update-extlinux; run it after a change.
# Write even over a menu that was edited by hand.
overwrite=1
# Draw the menu in graphics.
vesa_menu=0
# Kernel parameters of every entry.
default_kernel_opts="{options}"
# Modules that the initramfs loads.
modules={MODULES}
# The root file system.
root=UUID={uuid}
# Print the menu as it is written.
verbose=0
# Hide the menu.
hidden=1
# Seconds before the default entry is booted.
timeout=1
# The default entry.
default=virt
# The serial port of the menu.
serial_port=0
serial_baud=115200
# Parameters of the Xen hypervisor.
xen_opts=dom0_mem=384M
# Password of the menu.
password=''
# Set to 1 to keep apk from running update-extlinux.
disable_trigger=0
"""


def render_extlinux(boot: BootFiles, settings: str) -> str:
    """Return the menu that the stand-in makes from these settings and kernels."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-") as name:
        root = Path(name)
        files = {**boot.kernels, "etc/update-extlinux.conf": settings}
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        run(["busybox", "sh", STAND_IN], env={"UPDATE_EXTLINUX_ROOT": str(root)})
        return (root / "boot/extlinux.conf").read_text(encoding="utf-8")


def configure_extlinux(boot: BootFiles, options: str) -> dict[str, str]:
    """Return the settings and the menu for these kernel options."""
    settings = extlinux_settings(boot.uuid, options)
    return {
        "etc/update-extlinux.conf": settings,
        "boot/extlinux.conf": render_extlinux(boot, settings),
    }


def install_extlinux(tree: Path, disk: Path) -> None:
    """Write SYSLINUX's boot record and extlinux's blocks.

    The loop mount lives in a mount namespace of its own: if the build is killed, the kernel drops
    the mount and the loop device with it. Without sizelimit the loop device would reach to the end
    of the disk, and the file system would not match its partition.
    """
    record = (tree / "usr/share/syslinux/mbr.bin").read_bytes()
    with disk.open("r+b") as stream:
        stream.write(record[:440])
    mount = disk.with_name("mount")
    mount.mkdir()
    options = f"loop,offset={config.PARTITION_OFFSET},sizelimit={config.PARTITION_SIZE}"
    script = 'mount -o "$1" "$2" "$3" && extlinux --install "$3/boot" && umount "$3"'
    argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", script, "sh"]
    argv += [options, disk, mount]
    run(argv, code="loader", remedy="loop mounts must be allowed: run as root, not in a container")
    mount.rmdir()


def stage_extlinux(tree: Path) -> None:
    """Copy the menu's modules to /boot, as Alpine's setup does."""
    for name in MENU_MODULES:
        shutil.copy2(tree / "usr/share/syslinux" / name, tree / "boot" / name)


LOADERS = {"extlinux": Loader(stage_extlinux, install_extlinux, configure_extlinux)}

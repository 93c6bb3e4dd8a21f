# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extlinux on BIOS: Alpine's default on a disk with an MBR."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..commands import run
from ..layout import ROOT_SIZE, Layout
from .loader import FILES, MODULES, BootFiles, Loader

STAND_IN = FILES / "update-extlinux"
MENU_MODULES = ("ldlinux.c32", "libcom32.c32", "libutil.c32", "menu.c32")
LAYOUT = Layout("dos")


def settings(uuid: str, options: str) -> str:
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


def render(boot: BootFiles, text: str) -> str:
    """Return the menu that the stand-in makes from these settings and kernels."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-") as name:
        root = Path(name)
        files = {**boot.files, "etc/update-extlinux.conf": text}
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
        run(["busybox", "sh", STAND_IN], env={"UPDATE_EXTLINUX_ROOT": str(root)})
        return (root / "boot/extlinux.conf").read_text(encoding="utf-8")


def configure(boot: BootFiles, options: str) -> dict[str, str]:
    """Return the settings and the menu for these kernel options."""
    text = settings(boot.uuid, options)
    return {"etc/update-extlinux.conf": text, "boot/extlinux.conf": render(boot, text)}


def install(tree: Path, disk: Path) -> None:
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
    options = f"loop,offset={LAYOUT.root_offset},sizelimit={ROOT_SIZE}"
    script = 'mount -o "$1" "$2" "$3" && extlinux --install "$3/boot" && umount "$3"'
    argv: list[str | Path] = ["unshare", "--mount", "sh", "-c", script, "sh"]
    argv += [options, disk, mount]
    run(argv, code="loader", remedy="loop mounts must be allowed: run as root, not in a container")
    mount.rmdir()


def stage(tree: Path, _uuid: str) -> None:
    """Copy the menu's modules to /boot, as Alpine's setup does."""
    for name in MENU_MODULES:
        shutil.copy2(tree / "usr/share/syslinux" / name, tree / "boot" / name)


LOADER = Loader(("syslinux",), LAYOUT, stage, install, configure)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn the wheel's root file system into that of an installed Alpine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import config

# The wheel's maker put these in; an installed Alpine has none of them.
FOREIGN = (
    ".dockerenv",
    "etc/init.d/quicksand-guest-agent",
    "etc/init.d/setup-dns",
    "etc/runlevels/boot/quicksand-guest-agent",
    "etc/runlevels/sysinit/setup-dns",
    "etc/sudoers.d/quicksand",
    "usr/local/bin/quicksand-guest-agent",
    "home/quicksand",
)
FOREIGN_USER = "quicksand"
RUNLEVELS = {
    "sysinit": ("devfs", "dmesg", "mdev", "hwdrivers"),
    "boot": (
        "bootmisc",
        "hostname",
        "hwclock",
        "modules",
        "networking",
        "seedrng",
        "swap",
        "sysctl",
        "syslog",
    ),
    "default": ("acpid", "crond", "sshd"),
    "shutdown": ("killprocs", "mount-ro", "savecache"),
}
INTERFACES = f"""\
auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
\taddress {config.GUEST_ADDRESS}/24
\tgateway 10.0.2.2
"""
SERIAL_GETTY = "ttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100"


def repositories(mirror: str, *more: str) -> str:
    """Return the text of /etc/apk/repositories, with more parts of the lab's own."""
    base = f"{(mirror or config.LOCAL_MIRROR).rstrip('/')}/{config.ALPINE_RELEASE}"
    parts = ("main", "community") if mirror else ("main", *more)
    return "".join(f"{base}/{part}\n" for part in parts)


def rc_settings(text: str, *, parallel: bool) -> str:
    """Return rc.conf for a machine of its own: no container, services one by one or not."""
    text = re.sub(r"(?m)^#?rc_sys=.*$", 'rc_sys=""', text)
    return re.sub(r"(?m)^#?rc_parallel=.*$", f'rc_parallel="{"YES" if parallel else "NO"}"', text)


def fstab(uuid: str) -> str:
    """Return /etc/fstab with the root file system by its UUID."""
    return (
        f"UUID={uuid}\t/\text4\trw,relatime 0 1\n"
        "/dev/cdrom\t/media/cdrom\tiso9660\tnoauto,ro 0 0\n"
        "/dev/usbdisk\t/media/usb\tvfat\tnoauto,ro 0 0\n"
    )


def adapt(tree: Path, uuid: str, mirror: str) -> None:
    """Remove what the wheel's maker added; write what Alpine's setup would have."""
    for name in FOREIGN:
        path = tree / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in ("passwd", "group", "shadow"):
        _drop_user(tree / "etc" / name)
    texts = {
        "etc/fstab": fstab(uuid),
        "etc/modules": "af_packet\nipv6\n",
        "etc/network/interfaces": INTERFACES,
        "etc/resolv.conf": "nameserver 10.0.2.3\n",
        "etc/apk/repositories": repositories(mirror),
        "etc/rc.conf": rc_settings((tree / "etc/rc.conf").read_text("utf-8"), parallel=False),
        "etc/inittab": _inittab((tree / "etc/inittab").read_text("utf-8")),
    }
    for name, text in texts.items():
        (tree / name).write_text(text, encoding="utf-8")
        (tree / name).chmod(0o644)
    (tree / "root/.ssh").mkdir(mode=0o700, exist_ok=True)


def _inittab(text: str) -> str:
    return text.replace(f"#{SERIAL_GETTY}", SERIAL_GETTY)


def _drop_user(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{FOREIGN_USER}:")]
    kept = [re.sub(rf",{FOREIGN_USER}\b|(?<=:){FOREIGN_USER}\b,?", "", line) for line in kept]
    path.write_text("".join(kept), encoding="utf-8")


def set_runlevels(tree: Path, runlevels: Mapping[str, Sequence[str]] | None = None) -> None:
    """Enable these services, or those that Alpine's setup enables, if their scripts are there."""
    for level, services in (runlevels or RUNLEVELS).items():
        folder = tree / "etc/runlevels" / level
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for service in services:
            if (tree / "etc/init.d" / service).exists():
                (folder / service).symlink_to(f"/etc/init.d/{service}")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a machine of an image: its name, keys, command line and settings."""

from __future__ import annotations

import shlex
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .commands import run
from .config import ImageSpec, MachineSpec
from .image import Image
from .layout import Layout
from .loaders import LOADERS, kernel_options
from .packages import KERNELS
from .qemu import DISK
from .tree import rc_settings, repositories

HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
CLIENT_KEY = "id_ed25519"
HOST_PUBLIC_KEY = "host_key.pub"
# What a client needs of them.
KEYS = (CLIENT_KEY, f"{CLIENT_KEY}.pub", HOST_PUBLIC_KEY)


@dataclass(frozen=True)
class GuestFile:
    """A file to be written into the machine's disk."""

    text: str
    mode: int = 0o644


def make_keys(folder: Path, name: str) -> None:
    """Make the machine's client key and host key, and the known_hosts that fits them."""
    for target in (CLIENT_KEY, "host_key"):
        comment = f"alpinefleet-lab-{name}"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", folder / target])
    know_host(folder, name)


def take_keys(source: Path, folder: Path, name: str) -> None:
    """Let clients of a machine log in with the keys of the one that it came from."""
    for key in KEYS:
        shutil.copy2(source / key, folder / key)
    know_host(folder, name)


def know_host(folder: Path, name: str) -> None:
    """Have clients know the machine's host key by its name."""
    public = (folder / HOST_PUBLIC_KEY).read_text(encoding="utf-8")
    (folder / "known_hosts").write_text(f"{name} {public}", encoding="utf-8")


def guest_files(spec: MachineSpec, image: Image, folder: Path) -> dict[str, GuestFile]:
    """Return the files, by path, that differ from machine to machine."""
    files = {
        **{path: GuestFile(text) for path, text in name_files(spec.name).items()},
        "etc/apk/repositories": GuestFile(_repositories(spec.image)),
        "etc/rc.conf": GuestFile(rc_settings(image.rc_conf, parallel=spec.parallel_rc)),
        HOST_KEY: GuestFile((folder / "host_key").read_text("utf-8"), 0o600),
        f"{HOST_KEY}.pub": GuestFile((folder / HOST_PUBLIC_KEY).read_text("utf-8")),
        "root/.ssh/authorized_keys": GuestFile(
            (folder / f"{CLIENT_KEY}.pub").read_text("utf-8"), 0o600
        ),
    }
    options = kernel_options(locked=spec.locked, append=spec.append)
    texts = LOADERS[spec.image.loader].configure(image.boot, options)
    return {**files, **{path: GuestFile(text) for path, text in texts.items()}}


def _repositories(image: ImageSpec) -> str:
    return repositories(image.mirror, *([KERNELS] if image.upgrades_kernel else []))


def name_files(name: str) -> dict[str, str]:
    """Return the files, by path, that hold a machine's name."""
    return {
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1\t{name} localhost\n::1\tlocalhost\n",
    }


def renamed(name: str, now: float) -> str:
    """Return the shell commands that give a machine its own name, and today's time."""
    # Its clock stood still as long as it was a file.
    lines = [f"date -u -s @{now:.0f} >/dev/null", f"hostname {name}"]
    for path, text in name_files(name).items():
        lines.append(f"printf %s {shlex.quote(text)} >/{path}")
    return " && ".join(lines)


def debugfs_script(files: Mapping[str, GuestFile], sources: Mapping[str, Path]) -> str:
    """Return debugfs commands that replace files, with owner root and the right mode."""
    lines = []
    for path, file in files.items():
        lines += [
            f"rm /{path}",
            f'write "{sources[path]}" /{path}',
            f"set_inode_field /{path} mode 0{stat.S_IFREG | file.mode:o}",
            f"set_inode_field /{path} uid 0",
            f"set_inode_field /{path} gid 0",
        ]
    return "\n".join(lines) + "\n"


def write_files(files: Mapping[str, GuestFile], folder: Path, layout: Layout) -> None:
    """Write the files into the machine's disk without mounting it."""
    drafts = folder / "drafts"
    drafts.mkdir(mode=0o700)
    sources = {path: drafts / str(number) for number, path in enumerate(files)}
    for path, file in files.items():
        sources[path].write_text(file.text, encoding="utf-8")
    script = drafts / "script"
    script.write_text(debugfs_script(files, sources), encoding="utf-8")
    run(["debugfs", "-w", "-f", script, layout.filesystem(folder / DISK)])
    run(["e2fsck", "-fn", layout.filesystem(folder / DISK)], code="image")
    shutil.rmtree(drafts)

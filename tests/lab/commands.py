# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a program of the host: argument lists, C locale, failures as LabError."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import LabError

# Where a missing program comes from on Debian and Ubuntu.
APT_PACKAGES = {
    "OVMF_CODE_4M.fd": "ovmf",
    "OVMF_VARS_4M.fd": "ovmf",
    "apt-get": "apt",
    "busybox": "busybox",
    "debugfs": "e2fsprogs",
    "docker": "docker.io",
    "dpkg-deb": "dpkg",
    "e2fsck": "e2fsprogs",
    "e2undo": "e2fsprogs",
    "extlinux": "extlinux",
    "mcopy": "mtools",
    "mformat": "mtools",
    "mke2fs": "e2fsprogs",
    "mmd": "mtools",
    "openssl": "openssl",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "sfdisk": "fdisk",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sudo": "sudo",
    "unshare": "util-linux",
}
# Debian keeps file system tools out of a plain user's search path.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for programs: C locale, system tools in the path."""
    return {**os.environ, "LC_ALL": "C", "PATH": SEARCH_PATH, **(extra or {})}


def missing_tool(name: str) -> LabError:
    """Name the package that brings the program `name`."""
    package = APT_PACKAGES.get(Path(name).name, Path(name).name)
    return LabError("tool-missing", f"{name} is not installed", f"apt-get install {package}")


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 900,
    code: str = "command-failed",
    remedy: str = "see the command's own message above",
) -> str:
    """Return the standard output of a command that succeeded."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            input=stdin,
            env=environment(env),
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise missing_tool(words[0]) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(code, f"{words[0]} did not end in {timeout:.0f} s", remedy) from error
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise LabError(code, f"{' '.join(words[:6])} ended with {done.returncode}:\n{tail}", remedy)
    return done.stdout

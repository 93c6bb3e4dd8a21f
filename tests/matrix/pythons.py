# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons that this machine has, wherever people keep them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .table import number

NAME = re.compile(r"python3\.\d+")
# Fails where no environment can be made, and with a Python that is not released yet. In an
# environment it names the Python that this one was made with.
ASK = """
import ensurepip, sys, venv
if sys.version_info.releaselevel != "final":
    sys.exit(1)
print("{}.{}.{}".format(*sys.version_info[:3]), getattr(sys, "_base_executable", sys.executable))
"""
ASK_SECONDS = 20.0


@dataclass(frozen=True)
class Python:
    """An interpreter: its full version, and where it is."""

    release: str
    path: str

    @property
    def version(self) -> str:
        """The version without the last of its numbers."""
        return self.release.rpartition(".")[0]


def folders(environment: t.Mapping[str, str]) -> list[Path]:
    """Return where programs are: those of the PATH, of pyenv and of uv."""
    found = [Path(folder) for folder in environment.get("PATH", "").split(os.pathsep) if folder]
    pyenv = environment.get("PYENV_ROOT") or _says("pyenv", "root")
    for root, pattern in ((pyenv, "versions/*/bin"), (_says("uv", "python", "dir"), "*/bin")):
        if root:
            found += sorted(Path(root).glob(pattern))
    return found


def find(places: t.Iterable[Path]) -> dict[str, Python]:
    """Return the newest release of each version that can make an environment."""
    found: dict[str, Python] = {}
    for path in dict.fromkeys(path for place in places for path in _candidates(place)):
        python = _ask(path)
        if python is None:
            continue
        known = found.get(python.version)
        if known is None or number(known.release) < number(python.release):
            found[python.version] = python
    return found


def _candidates(folder: Path) -> list[Path]:
    """Return the programs in a folder that are a Python by their name, each once."""
    try:
        named = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(path.absolute() for path in named)


def _ask(path: Path) -> Python | None:
    said = _says(str(path), "-I", "-c", ASK).partition(" ")
    return Python(said[0], said[2]) if said[2] else None


def _says(program: str, *arguments: str) -> str:
    """Return what a program says; nothing where it is not there, fails or hangs."""
    if shutil.which(program) is None:
        return ""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

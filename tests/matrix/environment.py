# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of a row run in: an environment of its own, made once."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .plan import Row
from .pythons import Python

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache/matrix"
HERE = Path(__file__).parent
CONSTRAINTS = ROOT / "tests/setup/constraints.txt"


class SetupError(Exception):
    """An environment could not be made, for what pip or Python said."""


def without_core(constraints: str) -> str:
    """Return constraints that leave the release of ansible-core to the row."""
    return re.sub(r"^ansible-core==.*\n?", "", constraints, flags=re.MULTILINE)


def steps(row: Row, constraints: str) -> list[list[str]]:
    """Return what pip is called with, one after the other."""
    core = f"ansible-core=={row.core.release}"
    if row.kind == "core":
        return [["--requirement", str(HERE / "core.txt"), core, "--constraint", constraints]]
    # No controller runs there. What goes to a host with a module takes an older Python.
    modules = ["--no-deps", "--ignore-requires-python", core]
    return [["--requirement", str(HERE / "host.txt")], modules]


def key(row: Row, python: Python) -> str:
    """What an environment is made of: another value, another environment."""
    files = {"core": (HERE / "core.txt", CONSTRAINTS), "host": (HERE / "host.txt",)}[row.kind]
    texts = [path.read_text(encoding="utf-8") for path in files]
    whole = "\0".join([*texts, row.core.release, python.release, python.path, str(FOLDER)])
    return hashlib.sha256(whole.encode()).hexdigest()


def make(row: Row, python: Python) -> Path:
    """Return the row's environment, which is made if there is none of this key."""
    folder = FOLDER / row.name
    stamp, wanted = folder / "key", key(row, python)
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run([python.path, "-m", "venv", str(folder)])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write(without_core(CONSTRAINTS.read_text(encoding="utf-8")))
        constraints.flush()
        for step in steps(row, constraints.name):
            pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--quiet"]
            _run([*pip, "--disable-pip-version-check", *step])
    stamp.write_text(wanted, encoding="ascii")
    return folder


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stdout.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise SetupError(f"no environment: {said[0]}")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pythons are found where people keep them, and what only looks like one is none."""

from __future__ import annotations

import platform
import shlex
import sys
from pathlib import Path

import pytest

from tests.matrix import pythons
from tests.matrix.pythons import Python


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def interpreter(path: Path, release: str) -> Path:
    return program(path, f"echo {release} {shlex.quote(str(path))}")


def test_newest_release_of_each_version_is_found(tmp_path: Path) -> None:
    interpreter(tmp_path / "a/python3.12", "3.12.9")
    newest = interpreter(tmp_path / "b/python3.12", "3.12.10")
    other = interpreter(tmp_path / "b/python3.9", "3.9.18")
    assert pythons.find([tmp_path / "a", tmp_path / "b"]) == {
        "3.12": Python("3.12.10", str(newest)),
        "3.9": Python("3.9.18", str(other)),
    }


@pytest.mark.parametrize(
    ("name", "script"),
    [
        pytest.param("python3.12", "echo no such version >&2; exit 127", id="stand-in of pyenv"),
        pytest.param("python3.12", "exit 1", id="without ensurepip"),
        pytest.param("python3.12", "echo", id="says nothing"),
        pytest.param("python3.12-config", "echo 3.12.1 /x", id="another program"),
        pytest.param("python3", "echo 3.12.1 /x", id="no version in its name"),
    ],
)
def test_what_only_looks_like_a_python_is_none(tmp_path: Path, name: str, script: str) -> None:
    program(tmp_path / name, script)
    assert pythons.find([tmp_path, tmp_path / "none"]) == {}


def test_python_that_hangs_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "ASK_SECONDS", 0.2)
    program(tmp_path / "python3.12", "exec sleep 60")
    assert pythons.find([tmp_path]) == {}


def test_real_python_answers_the_question(tmp_path: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    (tmp_path / f"python{version}").symlink_to(sys.executable)
    found = pythons.find([tmp_path])[version]
    assert (found.version, found.release) == (version, platform.python_version())
    # One that is no environment, whatever runs this.
    assert not Path(found.path).parent.parent.joinpath("pyvenv.cfg").exists()


@pytest.mark.parametrize("by", ["variable", "program"])
def test_folders_of_pyenv_and_uv_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    (tmp_path / "pyenv/versions/3.12.1/bin").mkdir(parents=True)
    (tmp_path / "uv/cpython-3.13/bin").mkdir(parents=True)
    program(tmp_path / "bin/uv", f'[ "$*" = "python dir" ] && echo "{tmp_path}/uv"')
    environment = {"PATH": f"{tmp_path / 'bin'}:/bin"}
    if by == "program":
        program(tmp_path / "bin/pyenv", f'[ "$*" = root ] && echo "{tmp_path}/pyenv"')
    else:
        environment["PYENV_ROOT"] = str(tmp_path / "pyenv")
    monkeypatch.setenv("PATH", environment["PATH"])
    assert pythons.folders(environment) == [
        tmp_path / "bin",
        Path("/bin"),
        tmp_path / "pyenv/versions/3.12.1/bin",
        tmp_path / "uv/cpython-3.13/bin",
    ]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row runs in: its own release of ansible-core, made once, and told apart."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.matrix import environment
from tests.matrix.environment import ROOT, SetupError
from tests.matrix.plan import Row
from tests.matrix.pythons import Python
from tests.matrix.table import Core

CORE = Core("2.20", "2.20.10", ("3.12",))
# The programs of an environment, whose pip writes down what it is asked.
VENV = """#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$*" >>"%s/pip"\\n' "$3" >"$3/bin/python"
chmod +x "$3/bin/python"
"""


@pytest.fixture
def python(tmp_path: Path) -> Python:
    path = tmp_path / "python3.12"
    path.write_text(VENV)
    path.chmod(0o755)
    return Python("3.12.1", str(path))


@pytest.fixture
def row(python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr(environment, "FOLDER", tmp_path / "matrix")
    return Row("core", "core-2.20", CORE, ("3.12",), python, "3.12")


def calls(folder: Path) -> list[str]:
    return (folder / "pip").read_text().splitlines()


def test_controller_has_the_release_of_its_row_and_the_rest_as_pinned(
    row: Row, python: Python
) -> None:
    (call,) = calls(environment.make(row, python))
    assert " ansible-core==2.20.10 --constraint /" in call
    assert "ansible-core" not in environment.without_core("a==1\nansible-core==2.19.14\nb==2\n")


def test_host_has_no_controller(row: Row, python: Python) -> None:
    tools, modules = calls(environment.make(replace(row, kind="host"), python))
    assert tools.endswith("/host.txt")
    assert modules.endswith(" --no-deps --ignore-requires-python ansible-core==2.20.10")


def test_environment_is_made_once(row: Row, python: Python) -> None:
    folder = environment.make(row, python)
    assert environment.make(row, python) == folder
    assert len(calls(folder)) == 1


@pytest.mark.parametrize("another", ["release", "python"])
def test_another_row_is_another_environment(row: Row, python: Python, another: str) -> None:
    folder = environment.make(row, python)
    (folder / "left").touch()
    if another == "release":
        row = replace(row, core=replace(CORE, release="2.20.11"))
    else:
        python = replace(python, release="3.12.2")
    environment.make(row, python)
    assert not (folder / "left").exists()


def test_environment_that_failed_is_made_again_and_told(row: Row, python: Python) -> None:
    good = Path(python.path).read_text()
    Path(python.path).write_text("#!/bin/sh\necho begun; echo no room >&2; exit 2\n")
    with pytest.raises(SetupError, match=r"^no environment: no room$"):
        environment.make(row, python)
    Path(python.path).write_text(good)
    environment.make(row, python)


def pins(path: str, pattern: str = r"^([\w.-]+)==(\S+)$") -> set[tuple[str, str]]:
    return set(re.findall(pattern, (ROOT / path).read_text(), re.MULTILINE))


def test_tools_on_the_latest_pythons_are_those_of_every_other_test() -> None:
    # What a marker keeps for older Pythons only is not compared.
    newest = pins("tests/matrix/host.txt", r'^([\w.-]+)==([^\s;]+)(?:; python_version >= "\S+")?$')
    assert {"pytest", "pytest-xdist"} <= {name for name, _version in newest}
    assert newest - pins("tests/setup/constraints.txt") == set()


def test_what_a_controllers_tests_use_is_pinned() -> None:
    text = (ROOT / "tests/matrix/core.txt").read_text()
    names = {line for line in text.splitlines() if line and not line.startswith("#")}
    assert names - {name for name, _version in pins("tests/setup/constraints.txt")} == set()

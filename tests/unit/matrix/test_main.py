# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of the matrix: rows one after the other, and nothing passes that did not run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.matrix import __main__ as matrix
from tests.matrix import environment, pythons, table
from tests.matrix.pythons import Python
from tests.matrix.table import Core, Table

TABLE = Table((Core("2.19", "2.19.1", ("3.11",)), Core("2.20", "2.20.1", ("3.12",))), ("3.9",))
# Makes an environment whose pytest does what a script beside it says with $report.
PYTHON = """#!/bin/sh
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/sh
[ "$2" = pytest ] || exit 0
for word; do case $word in --junitxml=*) report=${word#*=} ;; esac; done
. "FOLDER/does"
END
chmod +x "$3/bin/python"
"""
PASSES = 'echo \'<testsuites><testcase/></testsuites>\' >"$report"; echo "$*" >>FOLDER/ran\n'


class Machine:
    """A machine with some Pythons."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        (folder / "python").write_text(PYTHON.replace("FOLDER", str(folder)))
        (folder / "python").chmod(0o755)
        monkeypatch.setattr(environment, "FOLDER", folder / "matrix")
        monkeypatch.setattr(matrix, "LOGS", folder / "logs")
        monkeypatch.setattr(signal, "signal", lambda *_arguments: None)
        monkeypatch.setattr(table, "load", lambda: TABLE)
        self.does(PASSES)

    def does(self, script: str) -> None:
        (self.folder / "does").write_text(script.replace("FOLDER", str(self.folder)))

    def run(self, versions: str, *rows: str) -> int:
        python = str(self.folder / "python")
        found = {each: Python(f"{each}.1", python) for each in versions.split()}
        self._monkeypatch.setattr(pythons, "find", lambda _places: found)
        self._monkeypatch.setattr(sys, "argv", ["matrix", *rows])
        return matrix.main()

    @property
    def ran(self) -> list[str]:
        record = self.folder / "ran"
        return record.read_text().splitlines() if record.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_every_part_of_every_row_runs(machine: Machine) -> None:
    assert machine.run("3.9 3.11 3.12") == 0
    assert [line.rpartition(" ")[2] for line in machine.ran] == [
        *("tests/unit", "tests/scripted") * 2,
        *("tests/unit/plugins/modules",) * 3,
    ]


@pytest.mark.parametrize(
    ("versions", "rows", "status", "ran"),
    [
        pytest.param("3.12", [], 0, 3, id="not the first core"),
        pytest.param("3.9 3.11", [], 1, 4, id="the first core only"),
        pytest.param("3.9", [], 1, 1, id="no core"),
        pytest.param("3.9 3.11", ["core-2.19"], 0, 2, id="the first core as asked for"),
        pytest.param("3.9 3.11", ["core-2.20"], 1, 0, id="nothing of what was asked for"),
        pytest.param("3.9 3.11", ["core-2.1"], 2, 0, id="no such row"),
    ],
)
def test_status(machine: Machine, versions: str, rows: list[str], status: int, ran: int) -> None:
    assert (machine.run(versions, *rows), len(machine.ran)) == (status, ran)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        pytest.param(PASSES + "exit 1", "status 1", id="fails in spite of its report"),
        pytest.param("exit 0", "pytest left no report", id="leaves no report"),
        pytest.param("echo '<testsuites/>' >\"$report\"", "no test ran", id="runs nothing"),
    ],
)
def test_part_that_did_not_pass_fails_the_run_and_stops_no_other(
    machine: Machine, capsys: pytest.CaptureFixture[str], does: str, said: str
) -> None:
    machine.does(does)
    assert machine.run("3.9 3.12") == 1
    table = capsys.readouterr().out
    assert table.count("FAILED") == table.count(said) == 4


def test_environment_that_cannot_be_made_fails_its_row(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine.folder / "python").write_text("#!/bin/sh\necho no room; exit 1\n")
    assert machine.run("3.12") == 1
    assert "core-2.20 units: no environment: no room\n" in capsys.readouterr().out


def test_report_of_an_earlier_run_is_none_of_this_one(machine: Machine) -> None:
    assert machine.run("3.12") == 0
    machine.does("exit 0")
    assert machine.run("3.12") == 1

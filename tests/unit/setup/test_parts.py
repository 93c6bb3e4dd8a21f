# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ./test ends with is what its parts ended with, also of the one that runs beside others."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.setup import slowest

SLOWEST = Path(slowest.__file__).resolve()
SCRIPT = """
set -euo pipefail
provide_docker() {{ echo provided; }}
source "{parts}"
run_parts "$@"
"""
# Does what the part's own script says; the arguments are: --session PART -- ARGUMENT…
NOX = """#!/bin/sh
echo "$*" >>called
echo "this is $2"
! [ -e "does-$2" ] || . "./does-$2"
"""


class Run:
    """A run of ./test in a folder, whose parts do what their scripts say."""

    def __init__(
        self, folder: Path, parts: list[str], does: dict[str, str], interrupt: str
    ) -> None:
        for part, script in does.items():
            (folder / f"does-{part}").write_text(script)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *("env", f"--{interrupt}-signal=INT", "bash", "-c"),
                    *(SCRIPT.format(parts=self._parts(folder)), "test", *parts, "--", "-k", "it"),
                ],
                cwd=folder,
                env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @staticmethod
    def _parts(folder: Path) -> Path:
        """What it looks for beside itself is there, too."""
        beside = folder / SLOWEST.name
        if not beside.exists():
            beside.symlink_to(SLOWEST)
        return shell_runner.copy(SLOWEST.with_name("parts.bash"), folder)

    def ended(self) -> int:
        return self.process.wait(timeout=60)

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def rows(self) -> list[list[str]]:
        table = self.output.partition("summary ========\n")[2].partition("\n\n")[0]
        return [line.split()[:2] for line in table.splitlines()]


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    nox = tmp_path / "bin" / "nox"
    nox.parent.mkdir()
    nox.write_text(NOX)
    nox.chmod(0o755)
    runs = []

    def start_it(*parts: str, interrupt: str = "default", **does: str) -> Run:
        runs.append(Run(tmp_path, list(parts), does, interrupt))
        return runs[-1]

    yield start_it
    for each in runs:
        if each.process.poll() is None:
            # It ends what runs beside it.
            os.killpg(each.process.pid, signal.SIGTERM)
            each.process.wait()
    shell_runner.keep(tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(["lint"], id="one"),
        pytest.param(["lint", "docs"], id="a gate and nothing to run beside it"),
        pytest.param(["lint", "scripted"], id="nothing to run beside"),
        pytest.param(["lint", "docs", "sanity", "scripted", "machines"], id="beside two gates"),
        pytest.param(["scripted", "docs"], id="its turn is before the gates"),
    ],
)
def test_parts_that_pass_are_a_run_that_passes(
    start: Start, tmp_path: Path, parts: list[str]
) -> None:
    run = start(*parts)
    assert run.ended() == 0, run.output
    assert run.rows == [[part, "ok"] for part in parts]
    called = (tmp_path / "called").read_text().splitlines()
    assert sorted(called) == sorted(f"--session {part} -- -k it" for part in parts)


@pytest.mark.parametrize("part", ["lint", "docs", "scripted", "machines"])
def test_part_that_fails_fails_the_run_and_stops_no_other(start: Start, part: str) -> None:
    parts = ["lint", "docs", "sanity", "scripted", "machines"]
    run = start(*parts, **{part: "exit 3"})
    assert run.ended() == 1, run.output
    assert run.rows == [[each, "FAILED" if each == part else "ok"] for each in parts]


def test_log_of_what_ran_beside_is_told_in_its_turn(start: Start, tmp_path: Path) -> None:
    waits = "until [ -e ended ]; do sleep 0.01; done"
    run = start("docs", "sanity", "scripted", scripted="touch ended", docs=waits)
    assert run.ended() == 0, run.output
    told = [line for line in run.output.splitlines() if line.startswith("this is")]
    assert told == ["this is docs", "this is sanity", "this is scripted"]
    assert (tmp_path / ".cache/logs/scripted.log").read_text() == "this is scripted\n"


def test_result_of_an_earlier_run_is_none_of_this_one(start: Start, tmp_path: Path) -> None:
    assert start("docs", "scripted", scripted="exit 1").ended() == 1
    (tmp_path / "does-scripted").unlink()
    run = start("docs", "scripted")
    assert (run.ended(), run.rows) == (0, [["docs", "ok"], ["scripted", "ok"]])


def test_containers_have_an_engine_and_no_other_part_has(start: Start) -> None:
    run = start("docs", "containers")
    assert run.ended() == 0
    assert run.output.count("provided") == 1
    assert run.output.index("======== containers") < run.output.index("provided")


@pytest.mark.parametrize(
    ("sent", "interrupt", "result"),
    [
        pytest.param(signal.SIGINT, "default", 130, id="INT"),
        pytest.param(signal.SIGTERM, "default", 143, id="TERM"),
        # As a shell starts a command with & in a script.
        pytest.param(signal.SIGTERM, "ignore", 143, id="TERM where INT is ignored"),
    ],
)
def test_interrupt_ends_the_run_and_what_runs_beside(
    start: Start, tmp_path: Path, sent: signal.Signals, interrupt: str, result: int
) -> None:
    hears = "trap 'echo ended >beside; exit 1' INT; echo >begun; while :; do sleep 0.05; done"
    # A shell's child that has not become its command yet may lose an interrupt: this has none then.
    waits = "until [ -e begun ]; do sleep 0.01; done; echo >both; exec sleep 600"
    run = start("docs", "scripted", interrupt=interrupt, scripted=hears, docs=waits)
    while not (tmp_path / "both").exists():
        assert run.process.poll() is None, run.output
    # As a terminal does: to all processes in the foreground.
    os.killpg(run.process.pid, sent)
    assert run.ended() == result, run.output
    until = time.monotonic() + 30
    while not (tmp_path / "beside").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert (tmp_path / "beside").exists()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people and continuous integration call: ./test, ./demo and .ci/run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

ROOT = Path(__file__).resolve().parents[2]
# Sets nothing up, and tells of what it was asked.
BOOTSTRAP = """
venv=.venv
die() { printf 'error: %s\\n' "$*" >&2; exit 1; }
set_up() { echo "set up: $*"; }
"""
# Which parts there are is its own to say; here they only tell that they would run.
RUNS_NOTHING = 'run_parts() { echo "run: $*; full: ${ALPINEFLEET_EXHAUSTIVE-no}"; }\n'
QUICK = "lint types units licences changelog"
GATES = "ansible_lint sanity docs galaxy"
ALL = f"{QUICK} {GATES} containers scripted machines"


class Checkout:
    """A working copy with these commands and nothing behind them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        setup = folder / "tests/setup"
        setup.mkdir(parents=True)
        (setup / "bootstrap.bash").write_text(BOOTSTRAP)
        for name in ("docker.bash", "parts.bash"):
            shutil.copy(ROOT / "tests/setup" / name, setup)
        with (setup / "parts.bash").open("a") as parts:
            parts.write(RUNS_NOTHING)

    def call(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Call a command from another folder, with an input that it must not wait for."""
        (self.folder / command).parent.mkdir(exist_ok=True)
        program = shell_runner.copy(ROOT / command, (self.folder / command).parent)
        done = subprocess.run(
            [str(program), *words],
            cwd="/",
            input="typed\n",
            capture_output=True,
            text=True,
            check=False,
        )
        shell_runner.keep(program.parent)
        return done

    def program(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    # ./test full runs these tests, too, and sets this for all that it runs.
    monkeypatch.delenv("ALPINEFLEET_EXHAUSTIVE", raising=False)
    return Checkout(tmp_path)


# --- ./test --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        pytest.param("", f"{ALL} --; full: no", id="nothing"),
        pytest.param("all", f"{ALL} --; full: no", id="all"),
        pytest.param("full", f"{ALL} --; full: 1", id="full"),
        pytest.param("quick", f"{QUICK} --; full: no", id="quick"),
        pytest.param("gates", f"{QUICK} {GATES} --; full: no", id="gates"),
        pytest.param("docs lint", "docs lint --; full: no", id="parts"),
        pytest.param("units -- -k all", "units -- -k all; full: no", id="with arguments"),
        pytest.param("-- -k x", f"{ALL} -- -k x; full: no", id="arguments alone"),
    ],
)
def test_test_runs_the_parts_that_it_is_told(checkout: Checkout, words: str, runs: str) -> None:
    done = checkout.call("test", *words.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"run: {runs}"


@pytest.mark.parametrize(
    ("part", "needs"),
    [("lint", "quick lint"), ("bench", "quick machines"), ("matrix", "quick scripted")],
)
def test_test_sets_up_what_its_parts_need(checkout: Checkout, part: str, needs: str) -> None:
    done = checkout.call("test", part)
    assert done.stdout.splitlines()[0] == f"set up: {needs}"


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_test_says_what_there_is_and_does_nothing(checkout: Checkout, word: str) -> None:
    done = checkout.call("test", word)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ./test [WHAT…] [-- ARGUMENT…]\n")
    assert set(f"{ALL} bench matrix full".split()) <= set(done.stdout.split())
    assert "set up" not in done.stdout


def test_test_runs_nothing_where_one_part_is_none(checkout: Checkout) -> None:
    done = checkout.call("test", "lint", "unit")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("usage: ")
    assert done.stderr.endswith("error: there is no part unit\n")


# --- ./demo --------------------------------------------------------------------------------


def test_demo_sets_up_what_a_machine_needs_and_hands_its_arguments_on(checkout: Checkout) -> None:
    checkout.program(".venv/bin/python", 'echo "$PWD: $*"; exit 3')
    done = checkout.call("demo", "--keep", "a b")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        "set up: machines",
        f"{checkout.folder}: -m tests.demo --keep a b",
    ]


# --- .ci/run -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 3])
def test_run_is_test_without_a_terminal_and_ends_as_it_does(
    checkout: Checkout, status: int
) -> None:
    checkout.program("test", f'cat; echo "$CI $NO_COLOR $PWD: $*"; exit {status}')
    done = checkout.call(".ci/run", "quick", "--", "-k x")
    assert done.returncode == status
    first, _blank, last = done.stdout.splitlines()
    assert first == f"true 1 {checkout.folder}: quick -- -k x"
    assert last.endswith(f"this run ended with {status}.")


def test_run_fails_where_there_is_nothing_that_it_could_run(checkout: Checkout) -> None:
    done = checkout.call(".ci/run")
    assert done.returncode == 127

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine that a run starts for itself is gone with it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.setup import slowest

PROGRAM = Path(slowest.__file__).with_name("docker.bash").resolve()
TOOLS = ("bash", "cat", "env", "id", "mkdir", "rm", "sleep", "tail", "timeout")
# What ./test has of its other files, then what a test says, and what a part does with the engine.
SCRIPT = """
set -euo pipefail
say() {{ printf '==> %s\\n' "$*"; }}
die() {{ printf 'error: %s\\n' "$*" >&2; exit 1; }}
as_root() {{ "$@"; }}
source ./docker.bash
{first}
provide_docker
echo "the engine is at ${{DOCKER_HOST-its own place}}"
{then}
"""
# It answers where there is an engine of this machine, or the socket of one that was started.
DOCKER = '#!/bin/sh\n[ -e answers ] || [ -e "${DOCKER_HOST#unix://}" ]\n'
# Unlike a shell, an engine hears a signal that it was started to ignore.
DOCKERD = r"""#!/bin/sh
[ "${hears:-}" ] || hears=yes exec env --default-signal=TERM "$0" "$@"
trap 'echo ended >>log; exit 0' TERM
echo "$*" >>log
[ ! -e dies ] || exit 1
for word; do
    case $word in --host=*) [ -e mute ] || : >"${word#--host=unix://}" ;; esac
done
while :; do sleep 0.02; done
"""
# Nothing is left in the machine's own folder if a test fails.
MKTEMP = '#!/bin/sh\n[ ! -e full ] && mkdir engine && echo "$PWD/engine"\n'
SECONDS = 60.0


class Run:
    """A shell that wants an engine."""

    def __init__(self, folder: Path, first: str, then: str) -> None:
        self.folder = folder
        shell_runner.copy(PROGRAM, folder)
        with (folder / "said").open("w") as said:
            self.process = subprocess.Popen(
                ["bash", "-c", SCRIPT.format(first=first, then=then)],
                cwd=folder,
                env={"PATH": str(folder / "bin")},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def ended(self) -> int:
        return self.process.wait(timeout=SECONDS)

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    @property
    def engine(self) -> list[str]:
        """What an engine was told, and whether it has ended."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []


Start = Callable[..., Run]


def wait_for(seen: Callable[[], bool]) -> bool:
    until = time.monotonic() + SECONDS
    while not seen() and time.monotonic() < until:
        time.sleep(0.02)
    return seen()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "bin").mkdir()
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(shell_runner.installed(name))
    for name, text in (("docker", DOCKER), ("dockerd", DOCKERD), ("mktemp", MKTEMP)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    runs = []

    def start_it(*files: str, first: str = "", then: str = "") -> Run:
        for name in files:
            (tmp_path / name).touch()
        runs.append(Run(tmp_path, first, then))
        return runs[-1]

    yield start_it
    for each in runs:
        # What it has started ends when it is gone.
        each.process.kill()
        each.process.wait()
    assert wait_for(lambda: not (tmp_path / "engine").exists())
    shell_runner.keep(tmp_path)


def test_engine_that_answers_is_used_as_it_is(start: Start) -> None:
    run = start("answers")
    assert run.ended() == 0, run.said
    assert run.said == "the engine is at its own place\n"
    assert run.engine == []


def test_engine_is_started_apart_from_any_other_and_ends_with_the_run(start: Start) -> None:
    run = start()
    assert run.ended() == 0, run.said
    folder = run.folder / "engine"
    assert f"the engine is at unix://{folder}/docker.sock" in run.said
    options, ended = run.engine
    kept = ("config-file", "data-root", "exec-root", "pidfile")
    assert all(f"--{option}={folder}/" in options for option in kept)
    assert {"--bridge=none", "--iptables=false", "--ip6tables=false"} <= set(options.split())
    assert ended == "ended"
    assert not folder.exists()


def test_engine_ends_with_a_run_that_is_killed(start: Start) -> None:
    run = start(then="while :; do sleep 0.05; done")
    assert wait_for(lambda: "the engine is at" in run.said), run.said
    assert run.engine[1:] == []
    run.process.send_signal(signal.SIGKILL)
    assert wait_for(lambda: run.engine[1:] == ["ended"])


@pytest.mark.parametrize(
    ("files", "first", "says"),
    [
        pytest.param(
            [], "as_root() { false; }", "No Docker engine answers, and only root", id="not root"
        ),
        pytest.param(["full"], "", "There is no room in /var/tmp.", id="no room"),
        pytest.param(["dies"], "", "Docker's engine did not start; above is", id="ends at once"),
        pytest.param(
            ["mute"], "engine_seconds=1", "Docker's engine did not answer in 1 s", id="mute"
        ),
    ],
)
def test_run_without_an_engine_ends_and_says_why(
    start: Start, files: list[str], first: str, says: str
) -> None:
    run = start(*files, first=first)
    assert run.ended() == 1, run.said
    assert says in run.said
    assert "the engine is at" not in run.said

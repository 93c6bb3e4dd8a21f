# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs programs in the shell that Alpine has, as nobody, and ends what is left of them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.alpinefleet.kexec.tests.shell_coverage import instrument, report

# For what waits for ever by mistake.
TIMEOUT = 120.0
# Where the tests are killed nobody is left to end what they have started.
DIES_WITH_US = ("--pdeathsig", "KILL", "--")
# What a program that is measured leaves in its folder.
NOTES = "ran"
# The child stays one to be waited for.
WAITS = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT


def installed(name: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"these tests need {name}"
    return path


def as_nobody() -> dict[str, t.Any]:
    """Who runs a program, for subprocess; empty if nobody else has to."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def measured(text: str, name: str, folder: Path) -> str:
    """The text of a program, which notes what runs of it if that is asked for."""
    if report.VARIABLE not in os.environ:
        return text
    return instrument.measured(text, name, str(folder / NOTES))


def copy(source: Path, folder: Path) -> Path:
    """A program as a file in a folder, which notes what runs of it if that is asked for."""
    program = folder / source.name
    text = source.read_text(encoding="utf-8")
    program.write_text(measured(text, source.name, folder), encoding="utf-8")
    program.chmod(0o755)
    return program


def keep(folder: Path) -> None:
    """Put what ran of programs in a folder to the rest of the run."""
    report.keep(folder / NOTES)


def run(
    text: str,
    name: str,
    arguments: t.Sequence[str],
    folder: Path,
    *,
    environment: dict[str, str] | None = None,
    afterwards: t.Callable[[], None] = lambda: None,
) -> tuple[int, str]:
    """Run a program until it ends or is stopped; return its status and what it said.

    What is to be seen before the processes that it has left are ended is seen afterwards.
    """
    # What outlives the program must not keep the test waiting on a pipe.
    with (folder / "said").open("w+") as said:
        shell = subprocess.Popen(
            [
                *(installed("setpriv"), *DIES_WITH_US),
                *(installed("busybox"), "ash", "-c", text, name, *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=folder,
            env=environment,
            start_new_session=True,
            umask=0o022,
            **as_nobody(),
        )
        try:
            status = ended_or_stopped(shell.pid)
            afterwards()
        finally:
            # What outlives its program must not act in another test, nor hold a lock there.
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
            wait_for_the_end_of(shell.pid)
            keep(folder)
    return status, (folder / "said").read_text(errors="replace")


def ended_or_stopped(pid: int) -> int:
    """Wait until a child ends or is stopped; return what subprocess calls its status."""
    until = time.monotonic() + TIMEOUT
    while (found := os.waitid(os.P_PID, pid, WAITS)) is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def wait_for_the_end_of(group: int) -> None:
    """A process that was killed holds what it has until the kernel comes to it."""
    until = time.monotonic() + TIMEOUT
    while is_at_work(group):
        assert time.monotonic() < until
        time.sleep(0.005)


def is_at_work(group: int) -> bool:
    """Whether a process of the group is left that has not ended, waited for or not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(_is_of(group, path) for path in Path("/proc").glob("[0-9]*/stat"))


def _is_of(group: int, stat: Path) -> bool:
    try:
        _name, _parenthesis, fields = stat.read_text(errors="replace").rpartition(")")
    except OSError:
        # It is gone.
        return False
    state, _parent, found = fields.split()[:3]
    return int(found) == group and state not in "ZX"


def starves(device: Path) -> None:
    """Nobody writes to a watchdog any more, although nobody has ended its feeder."""
    time.sleep(0.2)
    device.write_text("")
    time.sleep(0.2)
    assert device.read_bytes() == b""

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a host: one run holds it, nobody waits for it, and it ends with its last holder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import lock, notes, port
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

# A run of its own, which takes the lock, starts a command, says so, and waits. Both end with their
# input: that of the run comes from the test, that of the command from its second argument.
RUN = """
import subprocess, sys
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import lock, port
class Runner:
    def find(self, name):
        return name
    def run(self, argv, inherited=()):
        with open(sys.argv[2]) as fifo:
            subprocess.Popen(argv, stdin=fifo, stdout=subprocess.DEVNULL, pass_fds=inherited)
        return port.Outcome(0, "", "")
host = port.Host(Runner(), sys.argv[1], ask_kernel=lambda: None, checkpoint=lambda _path: None)
with lock.run_directory(host):
    host.run(["cat"])
    print("held", flush=True)
    sys.stdin.read()
"""


class Other:
    """Another process that holds the lock of the same host, and a command that it started."""

    def __init__(self, root: Path, fifo: Path) -> None:
        os.mkfifo(fifo)
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(root), str(fifo)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        # For both directions: no test waits for a reader that did not come.
        self._command = os.open(fifo, os.O_RDWR)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"held\n"

    def end_command(self) -> None:
        if self._command >= 0:
            os.close(self._command)
        self._command = -1

    def end(self, how: int | None = None) -> None:
        """End the run by a signal, or let it come to its end."""
        if how is not None:
            self.process.send_signal(how)
        self.process.communicate()


@pytest.fixture
def other(alpine: fakes.FakeHost, tmp_path: Path) -> t.Iterator[Other]:
    process = Other(alpine.root, tmp_path / "command")
    yield process
    process.end_command()
    process.end(signal.SIGKILL)


def give_up(_signal: int, _frame: object) -> t.NoReturn:
    raise TimeoutError("it waits for the lock")


def is_free(host: port.Host) -> bool:
    """Tell whether the lock can be had; to wait for it is an error."""
    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(5)
    try:
        with lock.run_directory(host):
            return True
    except BlockingIOError:
        return False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def test_lock_gives_a_directory_that_is_nobody_elses(alpine: fakes.FakeHost) -> None:
    alpine.remove(notes.RUN)
    with lock.run_directory(alpine.host) as path:
        assert path == str(alpine.path(notes.RUN))
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700


def test_another_run_is_refused_at_once(alpine: fakes.FakeHost, other: Other) -> None:
    assert not is_free(alpine.host)
    assert other.process.poll() is None


def becomes_free(host: port.Host) -> bool:
    """Tell whether the lock ends soon after its last holder was told to end."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if is_free(host):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("how", [None, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_lock_ends_with_the_run_and_its_command(
    alpine: fakes.FakeHost, other: Other, how: int | None
) -> None:
    other.end(how)
    assert not is_free(alpine.host)
    other.end_command()
    assert becomes_free(alpine.host)


def test_lock_is_not_handed_on_afterwards(alpine: fakes.FakeHost) -> None:
    given: list[t.Sequence[int]] = []

    class Runner(fakes.FakeRunner):
        def run(self, argv: t.Sequence[str], inherited: t.Sequence[int] = ()) -> port.Outcome:
            given.append(inherited)
            return port.Outcome(0, "", "")

    host = fakes.bare_host(Runner(), str(alpine.root))
    with lock.run_directory(host):
        host.run(["true"])
    host.run(["true"])
    assert [len(each) for each in given] == [1, 0]


def test_lock_is_released_after_an_error(alpine: fakes.FakeHost) -> None:
    with pytest.raises(ZeroDivisionError), lock.run_directory(alpine.host):
        raise ZeroDivisionError
    assert is_free(alpine.host)


def test_lock_does_not_let_its_own_run_in_twice(alpine: fakes.FakeHost) -> None:
    with lock.run_directory(alpine.host):
        assert not is_free(alpine.host)
    assert is_free(alpine.host)


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_directory_that_others_can_change_is_refused(alpine: fakes.FakeHost, mode: int) -> None:
    alpine.path(notes.RUN).mkdir(parents=True, exist_ok=True)
    alpine.path(notes.RUN).chmod(mode)
    with pytest.raises(PermissionError, match=notes.RUN), lock.run_directory(alpine.host):
        pass


def test_link_is_not_followed(alpine: fakes.FakeHost) -> None:
    alpine.remove(notes.RUN)
    alpine.link(notes.RUN, str(alpine.root))
    with pytest.raises(NotADirectoryError), lock.run_directory(alpine.host):
        pass


def test_file_in_its_place_is_an_error(alpine: fakes.FakeHost) -> None:
    alpine.remove(notes.RUN)
    alpine.write(notes.RUN, "")
    with pytest.raises(FileExistsError), lock.run_directory(alpine.host):
        pass

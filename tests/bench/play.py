# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of ansible-playbook with the time, the processor time and the memory that it takes."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.plays.run import COLLECTIONS, ROOT

from . import proc

CALLBACK = Path(__file__).parent / "callback"
SAMPLE_SECONDS = 2.0
GRACE_SECONDS = 10.0
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Tasks:
    """Tasks of one play on all hosts."""

    tasks: Sequence[Mapping[str, t.Any]]
    strategy: str = "linear"
    # The sizes of batches; all hosts are one without them.
    serial: Sequence[int | str] = ()


@dataclass(frozen=True)
class Playbook:
    """A playbook of a collection, with what people give it by -e."""

    name: str
    variables: Mapping[str, t.Any]


@dataclass(frozen=True)
class Event:
    """One task on one host; the times are those of the monotonic clock."""

    host: str
    task: str
    status: str
    started: float
    ended: float
    result: Mapping[str, t.Any]


@dataclass(frozen=True)
class Play:
    """What one run took and did."""

    rc: int
    # Whether it came to its end by itself, within its time.
    ended: bool
    output: str
    # The monotonic clock when it was started, and how long it took.
    started: float
    wall: float
    # Processor time of the whole tree, and of Ansible's main process alone as it was at the last look.
    cpu: float
    main_cpu: float
    # KiB.
    memory: int
    events: Sequence[Event]

    def of(self, task: str) -> dict[str, Event]:
        """Return what became of a task, by host."""
        return {event.host: event for event in self.events if event.task == task}

    def last(self) -> dict[str, Event]:
        """Return the last that was done on each host."""
        return {event.host: event for event in self.events}

    def said(self, host: str, name: str) -> t.Any:
        """Return a value of the last result of a host that has it; a role has several results."""
        values = [
            event.result[name]
            for event in self.events
            if event.host == host and name in event.result
        ]
        return values[-1] if values else None


def run(
    what: Tasks | Playbook,
    inventory: Path,
    *,
    forks: int,
    environment: Mapping[str, str],
    timeout: float,
) -> Play:
    """Run tasks or a playbook on all hosts of an inventory, and measure it."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-bench-") as name:
        folder = Path(name)
        command = _command(_arguments(what, folder), inventory, forks)
        own = {**_environment(folder), **environment}
        measured = _measure(command, own, folder / "output", timeout)
        lines = (folder / "timeline").read_text(encoding="utf-8").splitlines()
        events = tuple(Event(**json.loads(line)) for line in lines)
        return Play(**measured, events=events)


def _arguments(what: Tasks | Playbook, folder: Path) -> list[str]:
    """Return what ansible-playbook is told to run; tasks are a file in the folder."""
    if isinstance(what, Playbook):
        return [f"--extra-vars={json.dumps(dict(what.variables))}", what.name]
    play = {
        "hosts": "all",
        "gather_facts": False,
        "strategy": what.strategy,
        "tasks": list(what.tasks),
        **({"serial": list(what.serial)} if what.serial else {}),
    }
    playbook = folder / "playbook.json"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return [str(playbook)]


def _command(arguments: Sequence[str], inventory: Path, forks: int) -> list[str]:
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, f"--inventory={inventory}", f"--forks={forks}", *arguments]


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing that the caller has set for Ansible counts."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ANSIBLE_")}
    (folder / "timeline").touch()
    (folder / "ansible.cfg").touch()
    return {
        **kept,
        "ALPINEFLEET_TIMELINE": str(folder / "timeline"),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK),
        "ANSIBLE_CALLBACKS_ENABLED": "timeline",
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, COLLECTIONS)),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        # Sockets must be of no other run, and their path short.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
    }


def _measure(
    command: Sequence[str], environment: Mapping[str, str], output: Path, timeout: float
) -> dict[str, t.Any]:
    adopt_orphans()
    with _orphans_end() as orphans, output.open("wb") as stream:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with _sampled(process.pid) as samples:
            ended = _wait(process, timeout)
        wall = time.monotonic() - started
        orphans.end()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "rc": process.returncode,
        "ended": ended,
        "output": output.read_text(encoding="utf-8", errors="replace"),
        "started": started,
        "wall": wall,
        "cpu": _seconds(used) - _seconds(before),
        "main_cpu": samples.main_cpu,
        "memory": samples.memory,
    }


def _seconds(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def _wait(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Wait for the end, and bring it about with all children when it does not come."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        _end(process)
        return False
    except BaseException:
        _end(process)
        raise
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    pids = proc.tree(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # Each worker has a session of its own, so a group cannot be ended.
    for pid in pids:
        _kill(pid)
    process.wait()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of what detaches itself: ssh's masters would be missing in the sum."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class _Orphans:
    """The children that came since a moment."""

    def __init__(self) -> None:
        self._known = set(_children())

    def end(self) -> None:
        """End them, and take their processor time into account."""
        for pid in set(_children()) - self._known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield from map(int, (task / "children").read_text(encoding="ascii").split())


@contextlib.contextmanager
def _orphans_end() -> Iterator[_Orphans]:
    orphans = _Orphans()
    try:
        yield orphans
    finally:
        orphans.end()


@dataclass
class _Samples:
    memory: int = 0
    main_cpu: float = 0.0


@contextlib.contextmanager
def _sampled(pid: int) -> Iterator[_Samples]:
    """Look at the tree of a process again and again while the block runs."""
    samples, stop = _Samples(), threading.Event()

    def _sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            samples.memory = max(samples.memory, sum(map(proc.memory, proc.tree(pid))))
            samples.main_cpu = proc.own_seconds(pid) or samples.main_cpu

    thread = threading.Thread(target=_sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of ansible-playbook, bounded in time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This one, and those that it needs.
COLLECTIONS = (ROOT / ".cache/collections", ROOT / ".venv/collections")
CALLBACK = Path(__file__).parent / "callback"
FAST_REBOOT = ROOT / "playbooks/fast-reboot.yml"

# How ansible-core begins what it says of something that will be gone.
DEPRECATION = "[DEPRECATION WARNING]"

# Ten times what the longest of these plays takes on a slow machine.
TIMEOUT = 1800.0
# What Ansible gets to end its workers, and what it takes to do so by itself when somebody interrupts it.
GRACE_SECONDS = 10.0
INTERRUPT_SECONDS = 60.0

TASK_BEGINS = "TASK ["


def codes_of(result: t.Mapping[str, t.Any]) -> list[str]:
    """Return the codes of the reasons in a result."""
    return [reason["code"] for reason in result["reasons"]]


class DeprecatedError(Exception):
    """A run used something that a later ansible-core will not have."""


@dataclass(frozen=True)
class TaskResult:
    """What one task returned on one host."""

    host: str
    task: str
    status: t.Literal["ok", "failed", "unreachable"]
    result: dict[str, t.Any]

    @property
    def codes(self) -> list[str]:
        """The codes of the reasons that it gave."""
        return codes_of(self.result)


@dataclass(frozen=True)
class PlayRun:
    """What a run printed, returned and did."""

    rc: int
    output: str
    tasks: tuple[TaskResult, ...]

    @property
    def changed(self) -> list[TaskResult]:
        """The tasks that changed something, or would in check mode."""
        return [task for task in self.tasks if task.result.get("changed")]

    def task(self, name: str) -> TaskResult:
        """Return the one task of that name; what was printed says why it is not there."""
        found = [task for task in self.tasks if task.task == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} results of {name!r} in:\n{self.output}")
        return found[0]

    def fact(self, name: str, host: str | None = None) -> t.Any:
        """Return what a fact was set to last, on one host or on the only one."""
        facts = [
            task.result["ansible_facts"][name]
            for task in self.tasks
            if name in task.result.get("ansible_facts", {}) and host in {None, task.host}
        ]
        if not facts:
            raise LookupError(f"no task set {name!r} in:\n{self.output}")
        return facts[-1]

    @property
    def reboot(self) -> dict[str, t.Any]:
        """What the role fast_reboot says of its reboot of the only host."""
        return self.reboot_of(None)

    def reboot_of(self, host: str | None) -> dict[str, t.Any]:
        """What the role fast_reboot says of its reboot of a host, by its last task there."""
        found = [
            {**task.result, "failed": task.status == "failed"}
            for task in self.tasks
            if {"done", "rungs"} <= set(task.result) and host in {None, task.host}
        ]
        if not found:
            raise LookupError(f"the role said nothing of {host!r} in:\n{self.output}")
        return found[-1]


def run_playbook(
    playbook: str | Path,
    inventory: str | Path,
    *options: str,
    variables: t.Mapping[str, t.Any] | None = None,
    timeout: float = TIMEOUT,
    collections: t.Sequence[Path] = COLLECTIONS,
    deprecated: t.Sequence[str] = (),
) -> PlayRun:
    """Run a playbook, and end it with all its children when it takes too long.

    What is deprecated is an error, unless the run is about that, and has words of what is said.
    """
    command = _command(playbook, inventory, options, variables)
    with tempfile.TemporaryDirectory(prefix="alpinefleet-kexec-") as folder:
        record = Path(folder, "record")
        record.touch()
        rc, output = _run(command, _environment(record, collections), timeout)
        lines = record.read_text(encoding="utf-8").splitlines()
        if any(_outdated(line, deprecated) for line in output.splitlines()):
            raise DeprecatedError(output)
        return PlayRun(rc, output, tuple(TaskResult(**json.loads(line)) for line in lines))


def _outdated(line: str, known: t.Iterable[str]) -> bool:
    return DEPRECATION in line and not any(words in line for words in known)


def kill_playbook(
    playbook: str | Path,
    inventory: str | Path,
    *options: str,
    moment: t.Callable[[], object],
    variables: t.Mapping[str, t.Any] | None = None,
) -> None:
    """Run a playbook until a call returns; then its processes die without a word.

    Where that moment does not come, what the playbook has said is shown.
    """
    command = _command(playbook, inventory, options, variables)
    with _started(command, _environment(Path(os.devnull), COLLECTIONS)) as process:
        try:
            moment()
        except BaseException:
            _kill(process)
            print(t.cast("t.TextIO", process.stdout).read())
            raise
        _kill(process)


def interrupt_playbook(
    playbook: str | Path, inventory: str | Path, *options: str, task: int, by: signal.Signals
) -> bool:
    """Run a playbook until its n-th task begins, and end it by a signal; whether it came so far."""
    command = _command(playbook, inventory, options, {})
    with _started(command, _environment(Path(os.devnull), COLLECTIONS)) as process:
        try:
            begun = 0
            for line in t.cast("t.TextIO", process.stdout):
                begun += line.startswith(TASK_BEGINS)
                if begun == task:
                    break
            if by == signal.SIGINT:
                # As Ctrl-C does; workers have sessions of their own.
                process.send_signal(by)
                # A connection that is kept for later holds the pipe, and is Ansible's own affair.
                process.wait(timeout=INTERRUPT_SECONDS)
            return begun == task
        finally:
            _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """Its processes die without a word."""
    for each in reversed(_family(process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _command(
    playbook: str | Path,
    inventory: str | Path,
    options: t.Iterable[str],
    variables: t.Mapping[str, t.Any] | None,
) -> list[str]:
    return [
        str(Path(sys.executable).parent / "ansible-playbook"),
        f"--inventory={inventory}",
        f"--extra-vars={json.dumps(dict(variables or {}))}",
        *options,
        str(playbook),
    ]


def _family(pid: int) -> list[int]:
    """A process and what came of it, the oldest first."""
    found = [pid]
    for each in found:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{each}/task/{each}/children").read_text(encoding="ascii")
            found += map(int, children.split())
    return found


def _environment(record: Path, collections: t.Sequence[Path]) -> dict[str, str]:
    return {
        **os.environ,
        "ALPINEFLEET_RECORD": str(record),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        # It is said whatever the user of this machine has set.
        "ANSIBLE_DEPRECATION_WARNINGS": "1",
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, collections)),
        # It would win over the next one.
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
    }


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _run(command: list[str], environment: dict[str, str], timeout: float) -> tuple[int, str]:
    with _started(command, environment) as process:
        try:
            output, _errors = process.communicate(timeout=timeout)
        except BaseException:
            _end(process)
            raise
    return process.returncode, output


def _end(process: subprocess.Popen[str]) -> None:
    """Each worker has a session of its own; only the play itself passes a signal on to it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

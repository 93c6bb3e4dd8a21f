# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The programs that a connection starts on this machine: none of them outlives the task."""

from __future__ import annotations

import contextlib
import subprocess
import traceback
import typing as t

from ansible.errors import AnsibleError

if t.TYPE_CHECKING:
    from types import TracebackType

    from ansible.plugins.connection import ConnectionBase

# What a program gets to end by itself, and a shared connection to take a request.
GRACE_SECONDS = 2.0
# What a host gets to show that a shared connection still leads to it.
ALIVE_SECONDS = 5.0

# What comes of a plugin without an attribute, an option or a method, or with another one of its name.
UNLIKE = (AnsibleError, AttributeError, KeyError, NotImplementedError, TypeError)


def ssh_command(connection: t.Any, *arguments: str) -> list[t.Any] | None:
    """A command of the ssh client that the connection uses; None where it uses another one.

    Other plugins call themselves ssh, too: only one that can say how it calls the client has it.
    """
    try:
        if connection.transport.rpartition(".")[2] != "ssh":
            return None
        command = connection._build_command(
            connection.get_option("ssh_executable"),
            "ssh",
            *arguments,
            connection.get_option("host"),
        )
    except (*UNLIKE, OSError):
        # A password is handed to the client by a pipe, and there may be no descriptor left for one.
        return None
    return command if isinstance(command, list) else None


class Ended:
    """End what the block was waiting for if it is interrupted, and a dead connection with it.

    Interrupted is what ends with no Exception: the bound of a call, the keyword timeout of the
    task, or the user. An Exception comes of a call that is over. A connection that is shared and
    leads to a host which is gone would hold up every later task, those of the next run with it.
    One that is alive may be at work for somebody else.
    """

    def __init__(self, connection: ConnectionBase, *, shared: bool = True) -> None:
        self._connection = connection
        self._shared = shared

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._end(error)

    def _end(self, interruption: BaseException) -> None:
        for client in _waited_for(interruption):
            _end_process(client)
        if not (self._shared and _is_alive(self._connection)):
            _end_connection(self._connection)


def _is_alive(connection: ConnectionBase) -> bool:
    command = ssh_command(connection)
    return command is not None and _request([*command, "true"], ALIVE_SECONDS)


def _end_connection(connection: ConnectionBase) -> None:
    command = ssh_command(connection, "-O", "exit")
    if command is not None:
        _request(command)


def end_shared(connection: ConnectionBase, sockets: t.Iterable[str]) -> None:
    """End connections that are shared by sockets of their own."""
    executable = connection.get_option("ssh_executable")
    for socket in sockets:
        _request(
            [executable, "-F", "/dev/null", "-O", "exit", "-o", f"ControlPath={socket}", "any"]
        )


def _waited_for(interruption: BaseException) -> list[subprocess.Popen[t.Any]]:
    """The programs in the hands of the code that was interrupted: it keeps them nowhere else."""
    return [
        value
        for frame, _line in traceback.walk_tb(interruption.__traceback__)
        for value in frame.f_locals.values()
        if isinstance(value, subprocess.Popen) and value.pid is not None
    ]


def _end_process(process: subprocess.Popen[t.Any]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _request(command: t.Sequence[t.Any], seconds: float = GRACE_SECONDS) -> bool:
    """Whether the request was taken in time."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        completed = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
        return completed.returncode == 0
    return False

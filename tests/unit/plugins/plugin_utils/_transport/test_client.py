# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an interrupted call was waiting for ends, whatever it is and whatever it does then."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import (
    client as client_module,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.limit import (
    CallTimeoutError,
    limit,
)

Process = subprocess.Popen[bytes]


class FakeConnection:
    """A connection over a client that records how it is called."""

    def __init__(self, client: Path, transport: str = "ssh") -> None:
        self.transport = transport
        self._options = {"ssh_executable": str(client), "host": "web1"}

    def get_option(self, name: str) -> str:
        return self._options[name]

    def _build_command(self, executable: str, _binary: str, *arguments: str) -> list[str]:
        return [executable, *arguments]


class Foreign:
    """A connection that calls itself ssh and has another client."""

    transport = "ssh"


class Nameless(FakeConnection):
    """A connection that does not say what it is."""

    def __init__(self, client: Path) -> None:
        super().__init__(client)
        del self.transport


class WithoutOptions(FakeConnection):
    """A connection whose options are others."""

    def get_option(self, name: str) -> str:
        raise KeyError(f"Requested entry ({name}) was not defined")


class WithoutConfiguration(FakeConnection):
    """A connection that was never given its options."""

    def get_option(self, name: str) -> str:
        raise AnsibleError("no options")


class Passing(FakeConnection):
    """A connection that passes on what it lacks to an object that lacks it, too."""

    def __getattribute__(self, name: str) -> t.Any:
        if name == "_build_command":
            raise AttributeError(name)
        return super().__getattribute__(name)


class OtherArguments(FakeConnection):
    """A connection with another method of that name."""

    def __init__(self, client: Path) -> None:
        super().__init__(client)
        vars(self)["_build_command"] = list


class OtherAnswer(FakeConnection):
    """A connection whose command is a line for a shell."""

    def __init__(self, client: Path) -> None:
        super().__init__(client)
        vars(self)["_build_command"] = lambda *arguments: " ".join(arguments)


class Unfinished(FakeConnection):
    """A connection that inherits what it does not do."""

    def _build_command(self, *arguments: str) -> list[str]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not hang gets the time that a busy machine needs."""
    monkeypatch.setattr(client_module, "GRACE_SECONDS", 60.0)
    monkeypatch.setattr(client_module, "ALIVE_SECONDS", 60.0)


@pytest.fixture
def client(tmp_path: Path) -> Path:
    path = tmp_path / "ssh"
    # Nothing answers over the connection unless a test says so.
    path.write_text(
        f'#!/bin/sh\nexec >>"{tmp_path}/calls"\necho "$*"\n'
        f'case $* in *true) [ -e "{tmp_path}/alive" ] ;; esac\n'
    )
    path.chmod(0o755)
    return path


def calls(client: Path) -> list[str]:
    record = client.parent / "calls"
    return record.read_text().splitlines() if record.exists() else []


def interrupted(*command: str) -> tuple[CallTimeoutError, Process]:
    """A call that waits for a program, deep below, and is given up."""
    started: list[Process] = []

    def run() -> None:
        program = subprocess.Popen(command, stdout=subprocess.PIPE)
        started.append(program)
        assert program.stdout is not None
        # Such a shell is ready when it has said so.
        program.stdout.readline()
        with limit(0.01):
            program.wait()

    def call() -> None:
        run()

    with pytest.raises(CallTimeoutError) as caught:
        call()
    (program,) = started
    assert program.stdout is not None
    program.stdout.close()
    return caught.value, program


def end(connection: t.Any, interruption: BaseException, *, shared: bool = True) -> None:
    with pytest.raises(type(interruption)), client_module.Ended(connection, shared=shared):
        raise interruption


@pytest.mark.parametrize(
    "does",
    [
        pytest.param("echo; exec sleep 60", id="ends when it is asked to"),
        pytest.param("trap '' TERM; echo; while :; do sleep 0.1; done", id="does not hear"),
    ],
)
def test_program_of_an_interrupted_call_is_ended(
    client: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    monkeypatch.setattr(client_module, "GRACE_SECONDS", 0.3)
    interruption, program = interrupted("sh", "-c", f"trap : HUP; {does}")
    assert program.poll() is None
    end(FakeConnection(client), interruption)
    assert program.poll() is not None


class TaskTimeoutError(BaseException):
    """What Ansible raises for the keyword timeout."""


@pytest.mark.parametrize("kind", [CallTimeoutError, TaskTimeoutError, KeyboardInterrupt])
def test_connection_that_is_dead_is_ended(client: Path, kind: type[BaseException]) -> None:
    end(FakeConnection(client), kind())
    assert calls(client) == ["web1 true", "-O exit web1"]


def test_connection_that_is_alive_is_left_to_others(client: Path) -> None:
    (client.parent / "alive").touch()
    end(FakeConnection(client), CallTimeoutError())
    assert calls(client) == ["web1 true"]


def test_connection_of_our_own_is_ended_though_it_is_alive(client: Path) -> None:
    (client.parent / "alive").touch()
    end(FakeConnection(client), CallTimeoutError(), shared=False)
    assert calls(client) == ["-O exit web1"]


@pytest.mark.parametrize("error", [OSError("broken"), None], ids=["error", "success"])
def test_what_was_not_interrupted_is_left_alone(client: Path, error: Exception | None) -> None:
    expected = contextlib.nullcontext() if error is None else pytest.raises(OSError, match="broken")
    connection: t.Any = FakeConnection(client)
    with expected, client_module.Ended(connection):
        if error is not None:
            raise error
    assert calls(client) == []


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(lambda _client: Foreign(), id="has no command"),
        pytest.param(lambda client: FakeConnection(client, "paramiko_ssh"), id="other transport"),
        pytest.param(Nameless, id="has no name"),
        pytest.param(WithoutOptions, id="has other options"),
        pytest.param(WithoutConfiguration, id="has no options"),
        pytest.param(Passing, id="has an attribute that raises"),
        pytest.param(OtherArguments, id="has another method"),
        pytest.param(OtherAnswer, id="says a line"),
        pytest.param(Unfinished, id="is not finished"),
    ],
)
def test_connection_of_another_client_is_left_to_it(
    client: Path, kind: t.Callable[[Path], t.Any]
) -> None:
    connection = kind(client)
    assert client_module.ssh_command(connection, "-G") is None
    end(connection, CallTimeoutError())
    assert calls(client) == []


def test_connections_with_sockets_of_their_own_are_ended(client: Path) -> None:
    connection: t.Any = FakeConnection(client)
    client_module.end_shared(connection, ["/tmp/a/1", "/tmp/a/2"])
    assert [line.split()[-2:] for line in calls(client)] == [
        ["ControlPath=/tmp/a/1", "any"],
        ["ControlPath=/tmp/a/2", "any"],
    ]


def test_client_that_hangs_is_not_waited_for(client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(client_module, "ALIVE_SECONDS", 0.3)
    client.write_text("#!/bin/sh\nexec sleep 60\n")
    with limit(30):
        end(FakeConnection(client), KeyboardInterrupt())


def test_client_that_is_gone_is_no_error(tmp_path: Path) -> None:
    end(FakeConnection(tmp_path / "none"), CallTimeoutError())

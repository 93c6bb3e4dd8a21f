# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection is used, shortened and given back as it was, whatever kind it is."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shlex
import stat
import sys
import tempfile
import time
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import orders
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Questions
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import (
    Departure,
    NoAnswerError,
    OtherBootError,
    OtherRunError,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import controller
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import (
    remote as remote_module,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.prober import (
    BannerProber,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.remote import (
    AnsibleRemote,
)

# It has no types.
PARAMIKO: t.Any = importlib.import_module("paramiko")
BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
FAR = 60.0
DEPARTURE = Departure("kexec", "t0ken", "b00t", 0.5, 9.0, 4020, "mark")
SSH_OPTIONS: dict[str, t.Any] = {
    "host": "web1",
    "ssh_executable": "ssh",
    "ssh_args": "-C -o ControlMaster=auto -o ControlPersist=60s",
    "reconnection_retries": 3,
    "timeout": 10,
    "use_tty": True,
}


@pytest.fixture(autouse=True)
def folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[None]:
    """Folders for sockets that nobody took away are the test's; a short path leaves them room."""
    # Where those of pytest are is settled before.
    tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="remote-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


class FakeBecome:
    """A way to become another user."""


class FakeConnection:
    """A connection plugin's options, and what was done to it."""

    def __init__(
        self,
        transport: str = "ssh",
        options: dict[str, t.Any] | None = None,
        *,
        become: FakeBecome | None = None,
        pipelining: bool = False,
        reset_error: Exception | None = None,
        close_error: Exception | None = None,
    ) -> None:
        self.transport = transport
        self.options = dict(SSH_OPTIONS if options is None else options)
        self.become = become
        self._pipelining = pipelining
        self.done: list[str] = []
        self._reset_error = reset_error
        self._close_error = close_error

    def get_option(self, name: str) -> t.Any:
        return self.options[name]

    def set_option(self, name: str, value: t.Any) -> None:
        self.options[name] = value

    def is_pipelining_enabled(self) -> bool:
        return self._pipelining

    def reset(self) -> None:
        self.done.append(f"reset with {self.options.get('ssh_args')}")
        if self._reset_error is not None:
            raise self._reset_error

    def close(self) -> None:
        self.done.append("close")
        if self._close_error is not None:
            raise self._close_error

    def _build_command(self, binary: str, subsystem: str, *arguments: str) -> list[str]:
        return [binary, *arguments]


class Host:
    """What Ansible runs a command with: scripted, and a record of what it was given."""

    def __init__(self, result: t.Any = None) -> None:
        self.commands: list[str] = []
        self._result = result

    def __call__(self, command: str) -> dict[str, t.Any]:
        self.commands.append(command)
        if isinstance(self._result, Exception):
            raise self._result
        if callable(self._result):
            return completed(self._result(command))
        return completed("" if self._result is None else self._result)


def completed(stdout: str) -> dict[str, t.Any]:
    return {"rc": 0, "stdout": stdout, "stderr": ""}


def unheard(_message: str) -> None:
    """For whom nobody listens to."""


def remote(
    connection: FakeConnection | None = None,
    host: Host | None = None,
    timeout: float = 2.6,
    log: t.Callable[[str], None] = unheard,
) -> AnsibleRemote:
    fake: t.Any = connection or FakeConnection()
    return AnsibleRemote(fake, host or Host(), log, connect_timeout=timeout)


# --- What the host is asked ----------------------------------------------------------------


def said_by_host(command: str) -> str:
    nonce = shlex.split(command)[-1]
    return (
        f"\nBEGIN {nonce}\nboot_id {BOOT_ID}\nrelease 6.18\nbootloader_type \nstage \n"
        "hardware_id \nuptime 12.5 1.0\n"
        f"cmdline quiet\nEND {nonce}\n"
    )


def test_observe_returns_the_answer() -> None:
    assert remote(host=Host(said_by_host)).observe(FAR).boot_id == BOOT_ID


def test_observe_asks_with_another_number_each_time() -> None:
    host = Host(said_by_host)
    asked = remote(host=host)
    asked.observe(FAR)
    asked.observe(FAR)
    assert len(set(host.commands)) == 2


def test_observe_does_not_take_an_old_answer() -> None:
    host = Host(said_by_host("observe.sh an-earlier-number"))
    with pytest.raises(NoAnswerError, match="boot_id") as caught:
        remote(host=host).observe(FAR)
    assert caught.value.kind == "garbled"


def test_observe_shows_the_end_of_what_was_said() -> None:
    with pytest.raises(NoAnswerError) as caught:
        remote(host=Host("." * 1000 + "account locked")).observe(FAR)
    assert caught.value.text.endswith("...account locked'")
    assert len(caught.value.text) < 250


def test_test_returns_what_the_command_did() -> None:
    host = Host("root\n")
    assert remote(host=host).test("whoami", BOOT_ID, FAR) == Outcome(0, "root\n", "")
    assert re.search(rf"test\.sh {BOOT_ID} [0-9a-f]{{16}} whoami$", host.commands[0])


def test_leave_is_acknowledged_with_the_mark() -> None:
    host = Host("mark\n")
    answer = remote(host=host).leave(DEPARTURE)
    assert answer.stdout == "mark\n"
    words = r"leave\.sh kexec 0\.500 9\.000 t0ken b00t .* 4020 .* printf '\\n%s\\n' mark$"
    assert re.search(words, host.commands[0])


def test_leave_is_never_repeated_by_the_connection() -> None:
    connection = FakeConnection()
    remote(connection).leave(DEPARTURE)
    assert connection.options["reconnection_retries"] == 0


# --- A terminal ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("become", "pipelining", "own", "expected"),
    [
        pytest.param(None, False, True, False, id="no become"),
        pytest.param(None, True, True, False, id="neither become nor a file of the module"),
        pytest.param(FakeBecome(), True, True, False, id="the module came without one"),
        pytest.param(FakeBecome(), False, True, True, id="the module had one"),
        pytest.param(FakeBecome(), False, False, False, id="the user wants none"),
    ],
)
def test_all_commands_get_a_terminal_only_where_the_module_had_one(
    become: FakeBecome | None, pipelining: bool, own: bool, expected: bool
) -> None:
    options = {**SSH_OPTIONS, "use_tty": own}
    connection = FakeConnection(options=options, become=become, pipelining=pipelining)
    ours = remote(connection)
    ours.leave(DEPARTURE)
    ours.shorten()
    ours.test("whoami", BOOT_ID, FAR)
    assert connection.options["use_tty"] is expected
    ours.restore()
    assert connection.options["use_tty"] is own


# --- Connections that were lost ------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(AnsibleConnectionFailure("Connection refused"), "silent", id="refused"),
        pytest.param(AnsibleAuthenticationFailure("Permission denied"), "authentication", id="key"),
        pytest.param(
            AnsibleConnectionFailure("Host key verification failed."), "host_key", id="id"
        ),
        pytest.param(ConnectionResetError(104, "Connection reset by peer"), "silent", id="reset"),
        pytest.param(PARAMIKO.SSHException("Channel closed."), "silent", id="paramiko"),
    ],
)
@pytest.mark.parametrize("call", ["observe", "test", "leave", "confirm"])
def test_lost_connection_is_no_answer(call: str, error: Exception, kind: str) -> None:
    asked = remote(host=Host(error))
    calls: dict[str, t.Callable[[], t.Any]] = {
        "observe": lambda: asked.observe(FAR),
        "test": lambda: asked.test("whoami", BOOT_ID, FAR),
        "leave": lambda: asked.leave(DEPARTURE),
        "confirm": lambda: asked.confirm("t0ken", BOOT_ID, FAR),
    }
    with pytest.raises(NoAnswerError) as caught:
        calls[call]()
    assert (caught.value.kind, caught.value.text) == (kind, str(error))


def test_lost_connection_without_a_word_is_told_by_its_kind() -> None:
    connection = FakeConnection("paramiko", {"timeout": 1})
    with pytest.raises(NoAnswerError, match=r"^EOFError$"):
        remote(connection, Host(EOFError())).observe(FAR)
    assert connection.done == ["close"]


@pytest.mark.parametrize("rc", [-1, -15], ids=["paramiko", "client ended by a signal"])
def test_command_without_an_exit_status_is_no_answer(rc: int) -> None:
    connection = FakeConnection()
    fake: t.Any = connection
    asked = remote(fake, t.cast("t.Any", lambda _command: {"rc": rc, "stdout": "", "stderr": ""}))
    with pytest.raises(NoAnswerError, match="ended before") as caught:
        asked.leave(DEPARTURE)
    assert caught.value.kind == "silent"
    assert connection.done == ["close"]


def test_acknowledgement_is_heard_although_there_is_no_exit_status() -> None:
    fake: t.Any = FakeConnection()
    said = {"rc": -1, "stdout": "t0ken\n", "stderr": ""}
    asked = remote(fake, t.cast("t.Any", lambda _command: said))
    assert asked.leave(DEPARTURE).stdout == "t0ken\n"


def test_lost_connection_is_told_on_one_line() -> None:
    said = "Connection timed out during banner exchange\r\nConnection to 192.0.2.1 timed out\n"
    with pytest.raises(NoAnswerError) as caught:
        remote(host=Host(AnsibleConnectionFailure(said))).observe(FAR)
    assert "\n" not in caught.value.text
    assert caught.value.text.endswith("exchange Connection to 192.0.2.1 timed out")


def test_lost_connection_is_closed() -> None:
    connection = FakeConnection("paramiko", {"timeout": 1})
    with pytest.raises(NoAnswerError):
        remote(connection, Host(AnsibleConnectionFailure("Failed to open session"))).observe(FAR)
    assert connection.done == ["close"]


def test_connection_that_cannot_be_closed_is_no_other_error() -> None:
    connection = FakeConnection(close_error=OSError("Bad file descriptor"))
    with pytest.raises(NoAnswerError, match="gone"):
        remote(connection, Host(AnsibleConnectionFailure("gone"))).observe(FAR)


@pytest.mark.parametrize("call", ["observe", "test", "leave", "confirm"])
def test_other_error_of_ansible_is_no_answer(call: str) -> None:
    asked = remote(host=Host(AnsibleError("Missing sudo password")))
    calls: dict[str, t.Callable[[], t.Any]] = {
        "observe": lambda: asked.observe(FAR),
        "test": lambda: asked.test("whoami", BOOT_ID, FAR),
        "leave": lambda: asked.leave(DEPARTURE),
        "confirm": lambda: asked.confirm("t0ken", BOOT_ID, FAR),
    }
    with pytest.raises(NoAnswerError, match="Missing sudo password") as caught:
        calls[call]()
    assert caught.value.kind == "garbled"


CALLS: dict[str, t.Callable[[AnsibleRemote, float], object]] = {
    "observe": lambda asked, within: asked.observe(within),
    "test": lambda asked, within: asked.test("whoami", BOOT_ID, within),
    "confirm": lambda asked, within: asked.confirm("t0ken", BOOT_ID, within),
}
QUESTIONS = Questions(services=True, ports=False, commands=("true", "nginx -t"))


@pytest.mark.parametrize("within", [0.05, 0.0, -1.0], ids=["a moment", "nothing", "less"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_call_ends_with_the_time_that_it_is_given(
    call: t.Callable[[AnsibleRemote, float], object], within: float
) -> None:
    # Whoever is not interrupted has an answer.
    with pytest.raises(NoAnswerError, match="hung"):
        call(remote(host=Host(hang)), within)


def test_confirm_acknowledges_with_the_token() -> None:
    host = Host("t0ken\n")
    assert remote(host=host).confirm("t0ken", BOOT_ID, FAR).stdout == "t0ken\n"
    assert re.search(rf"confirm\.sh t0ken {BOOT_ID} [0-9a-f]{{16}}$", host.commands[0])


def test_examination_gives_each_command_its_share_of_the_time() -> None:
    def says(command: str) -> str:
        nonce, seconds = re.findall(r" ([0-9a-f]{16}) yes no ([0-9]+) true 'nginx -t'$", command)[0]
        said = ["rc-status 0", "command 0 0", f"command 1 {seconds}"]
        return "\n".join(["Welcome!", f"BEGIN {nonce}", *said, f"END {nonce}", ""])

    found = remote(host=Host(says)).examine(QUESTIONS, BOOT_ID, 31.0)
    assert (found.rc_status, found.commands) == (0, (0, 16))


@pytest.mark.parametrize("within", [-2.0, 0.0, 0.4], ids=str)
def test_examination_gives_each_command_a_second_at_least(within: float) -> None:
    host = Host("nothing")
    with pytest.raises(NoAnswerError, match="the host answered 'nothing'") as caught:
        remote(host=host).examine(QUESTIONS, BOOT_ID, within)
    assert caught.value.kind == "garbled"
    assert re.search(r" yes no 1 true ", host.commands[0])


MEMORIES: dict[str, t.Callable[[AnsibleRemote], object]] = {
    "take": lambda asked: asked.take("r1"),
    "claim": lambda asked: asked.keep("r1", "down\ndrained", known=False),
    "keep": lambda asked: asked.keep("r1", "down\ndrained", known=True),
    "tell": lambda asked: asked.tell(),
}
MEMORY = re.compile(r"memory\.sh (\w+) (\S+) (.*) (\S+) ([0-9a-f]{16}) ([0-9a-f]{16})$", re.DOTALL)


def arguments_of_memory(command: str) -> tuple[str, ...]:
    found = MEMORY.search(command)
    assert found is not None
    return found.groups()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("take", ("take", "r1", "''")),
        ("claim", ("claim", "r1", "'down\ndrained'")),
        ("keep", ("keep", "r1", "'down\ndrained'")),
        ("tell", ("tell", "-", "''")),
    ],
)
def test_host_is_asked_to_remember(call: str, expected: tuple[str, ...]) -> None:
    def says(command: str) -> str:
        nonce = arguments_of_memory(command)[-1]
        return f"Welcome!\nBEGIN {nonce}\nr0 drain\nEND {nonce}\n"

    host = Host(says)
    found = MEMORIES[call](remote(host=host))
    assert arguments_of_memory(host.commands[0])[:3] == expected
    # The host compares it with its own.
    assert arguments_of_memory(host.commands[0])[3] == controller.boot_id()
    assert found == (None if expected[2] != "''" else "r0 drain\n")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ("overtaken", OtherRunError, ""),
        ("", OtherRunError, ""),
        ("target_is_controller", RebootError, "same boot as the machine that runs Ansible"),
        ("not_root 1000", RebootError, "user id 1000. Set become to true"),
        ("not_root $(reboot)", OtherRunError, ""),
    ],
)
@pytest.mark.parametrize("call", MEMORIES)
def test_who_must_not_act_is_told_why(
    call: str, words: str, error: type[Exception], said: str
) -> None:
    host = Host(lambda command: f"Welcome!\n{arguments_of_memory(command)[-2]} {words}\n")
    with pytest.raises(error) as caught:
        MEMORIES[call](remote(host=host))
    assert said in str(caught.value)


@pytest.mark.parametrize("call", MEMORIES)
def test_host_that_does_not_say_that_it_remembers_does_not(call: str) -> None:
    with pytest.raises(NoAnswerError, match="the host answered 'no'") as caught:
        MEMORIES[call](remote(host=Host("no")))
    assert caught.value.kind == "garbled"


@pytest.mark.parametrize("call", ["test", "confirm", "examine"])
def test_command_for_a_boot_that_has_ended_says_so(call: str) -> None:
    marks: list[str] = []
    calls: dict[str, t.Callable[[AnsibleRemote, float], object]] = {
        **CALLS,
        "examine": lambda asked, within: asked.examine(QUESTIONS, BOOT_ID, within),
    }

    def another_boot(command: str) -> str:
        # It stands behind the boot, or is the last word.
        marks.extend(re.findall(rf" {BOOT_ID} ([0-9a-f]{{16}})\b", command))
        return f"Welcome!\n{marks[-1]}\n"

    asked = remote(host=Host(another_boot))
    for _each in range(2):
        with pytest.raises(OtherBootError):
            calls[call](asked, FAR)
    # A mark is for one call: what a command prints cannot be taken for it.
    assert len(set(marks)) == 2


def test_call_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_module, "CALL_SECONDS", 0.02)
    connection = FakeConnection()
    with pytest.raises(NoAnswerError, match="hung") as caught:
        remote(connection, Host(hang), timeout=0.03).observe(FAR)
    assert caught.value.kind == "silent"
    assert connection.done == ["close"]


def test_command_of_the_user_may_take_longer_than_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_module, "CALL_SECONDS", 0.02)
    assert remote(host=Host(dawdle), timeout=0.03).test("whoami", BOOT_ID, FAR).stdout == "root"


def dawdle(_command: str) -> str:
    time.sleep(0.2)
    return "root"


def hang(_command: str) -> str:
    time.sleep(5)
    return "too late"


# --- The ssh connection of Ansible ---------------------------------------------------------


def real_ssh(folder: Path, does: str) -> t.Any:
    """Ansible's own connection with three attempts, over a client that records its calls."""
    client = folder / "ssh"
    record = shlex.quote(str(folder / "calls"))
    control = 'case " $* " in *" -O "* | *" true "*) exit 1 ;; esac'
    client.write_text(f"#!/bin/sh\n{control}\necho call >>{record}\n{does}\n")
    client.chmod(0o755)
    context = PlayContext()
    context.remote_addr, context.shell = "web1", "sh"
    connection = connection_loader.get("ssh", context, ansible_playbook_pid="1", task_uuid="1")
    options = {"host": "web1", "ssh_executable": os.fspath(client), "ssh_args": ""}
    connection.set_options(direct={**options, "reconnection_retries": 2})
    return connection


def over(connection: t.Any) -> t.Callable[[str], dict[str, t.Any]]:
    """Run a command as Ansible does."""

    def execute(command: str) -> dict[str, t.Any]:
        rc, stdout, stderr = connection.exec_command(command)
        return {"rc": rc, "stdout": stdout.decode(), "stderr": stderr.decode()}

    return execute


def calls_of(folder: Path) -> int:
    return (folder / "calls").read_text().count("call")


def test_order_is_given_once_although_the_user_has_ssh_try_again(tmp_path: Path) -> None:
    connection = real_ssh(tmp_path, "exit 255")
    with pytest.raises(NoAnswerError):
        AnsibleRemote(connection, over(connection), unheard, connect_timeout=1).leave(DEPARTURE)
    assert calls_of(tmp_path) == 1


def test_call_that_hangs_is_not_tried_again_by_ssh(tmp_path: Path) -> None:
    # The client's first call lets the time of the caller be over.
    connection = real_ssh(tmp_path, "sleep 0.2; kill -ALRM $PPID; exec sleep 60")
    with pytest.raises(NoAnswerError, match="hung"):
        AnsibleRemote(connection, over(connection), unheard, connect_timeout=1).test(
            "whoami", BOOT_ID, FAR
        )
    assert calls_of(tmp_path) == 1


# --- Short connections ---------------------------------------------------------------------


def test_shorten_closes_the_shared_connection_by_the_options_that_opened_it() -> None:
    connection = FakeConnection()
    remote(connection).shorten()
    assert connection.done == [f"reset with {SSH_OPTIONS['ssh_args']}"]


def test_connection_that_does_not_close_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(remote_module, "LOCAL_SECONDS", 0.1)
    record = tmp_path / "calls"
    client = tmp_path / "ssh"
    client.write_text(f'#!/bin/sh\necho "$*" >>{shlex.quote(str(record))}\n')
    client.chmod(0o755)
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": os.fspath(client)})
    monkeypatch.setattr(connection, "reset", lambda: time.sleep(30))
    remote(connection, timeout=0.1).shorten()
    assert record.read_text() == "web1 true\n"


def socket_of(connection: FakeConnection) -> str:
    """The socket of the connection that the next call uses."""
    found = re.search(r"-o ControlPath=(\S+) ", connection.options["ssh_args"] or "")
    assert found is not None
    return found[1]


def ask(used: AnsibleRemote) -> None:
    with contextlib.suppress(NoAnswerError):
        used.observe(FAR)


def test_each_question_has_a_connection_of_its_own() -> None:
    connection = FakeConnection()
    used = remote(connection)
    used.shorten()
    ask(used)
    first = socket_of(connection)
    ask(used)
    assert socket_of(connection) != first
    # The first value of an option counts, and the user's own stand behind, once.
    assert connection.options["ssh_args"].startswith("-o ControlMaster=auto -o ControlPath=")
    assert connection.options["ssh_args"].count(SSH_OPTIONS["ssh_args"]) == 1


def test_command_after_an_answer_shares_its_connection() -> None:
    connection = FakeConnection()
    used = remote(connection)
    used.shorten()
    ask(used)
    before = socket_of(connection)
    used.test("whoami", BOOT_ID, FAR)
    assert socket_of(connection) == before


def test_sockets_are_for_nobody_else_and_gone_afterwards() -> None:
    connection = FakeConnection()
    used = remote(connection)
    used.shorten()
    ask(used)
    folder = Path(socket_of(connection)).parent
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU
    used.restore()
    assert not folder.exists()


def test_nothing_is_shared_where_a_socket_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_args": None})
    used = remote(connection)
    used.shorten()
    ask(used)
    assert connection.options["ssh_args"] == remote_module.NOT_SHARED
    used.restore()


def no_room(**_options: t.Any) -> str:
    raise OSError(28, "No space left on device")


def test_nothing_is_shared_where_there_is_no_room_for_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "mkdtemp", no_room)
    connection, said = FakeConnection(), list[str]()
    used = remote(connection, Host(said_by_host), log=said.append)
    used.shorten()
    assert used.observe(FAR).boot_id == BOOT_ID
    # The connection of the user's own would lead to a system that is gone.
    assert connection.options["ssh_args"].startswith(remote_module.NOT_SHARED)
    assert said == ["commands share no connection: [Errno 28] No space left on device"]
    used.restore()
    assert connection.options == SSH_OPTIONS


def test_nothing_is_shared_any_more_where_a_socket_could_not_be_made() -> None:
    connection = FakeConnection()

    def client_says(_command: str) -> str:
        if "ControlPath=none" in connection.options["ssh_args"]:
            return said_by_host(_command)
        socket = f"{socket_of(connection)}.Ax1"
        raise AnsibleConnectionFailure(
            f"unix_listener: cannot bind to path {socket}: No space left"
        )

    used = remote(connection, Host(client_says))
    used.shorten()
    folder = Path(used._sockets or "")
    with pytest.raises(NoAnswerError, match="No space left"):
        used.observe(FAR)
    assert used.observe(FAR).boot_id == BOOT_ID
    used.restore()
    assert not folder.exists()


def test_connection_that_is_lost_is_shared_again_when_the_host_is_back() -> None:
    connection = FakeConnection()
    used = remote(connection, Host(AnsibleConnectionFailure("No route to host")))
    used.shorten()
    ask(used)
    ask(used)
    assert socket_of(connection).startswith(used._sockets or "-")
    used.restore()


class NoPipe(FakeConnection):
    """A connection with a password, where the controller has no descriptor left to hand it over."""

    def _build_command(self, binary: str, subsystem: str, *arguments: str) -> list[str]:
        raise OSError(24, "Too many open files")


def test_controller_without_a_descriptor_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = NoPipe()
    used = remote(connection, Host(said_by_host))
    assert used.prober() is None
    used.shorten()
    assert used.observe(FAR).boot_id == BOOT_ID
    used.restore()
    assert connection.options == SSH_OPTIONS


@pytest.mark.parametrize("call", ["observe", "test", "leave", "confirm"])
def test_argument_that_no_program_can_be_given_is_no_answer(call: str) -> None:
    asked = remote(host=Host(ValueError("embedded null byte")))
    with pytest.raises(NoAnswerError, match="embedded null byte") as caught:
        asked.leave(DEPARTURE) if call == "leave" else CALLS[call](asked, FAR)
    assert caught.value.kind == "garbled"


@pytest.mark.parametrize(
    ("timeout", "expected"), [(2.6, 3), (0.1, 1), (30.0, 30)], ids=["rounds", "least", "whole"]
)
def test_shorten_sets_the_timeout_in_whole_seconds(timeout: float, expected: int) -> None:
    connection = FakeConnection()
    remote(connection, timeout=timeout).shorten()
    assert connection.options["timeout"] == expected


@pytest.mark.parametrize(
    ("transport", "options", "expected"),
    [
        pytest.param("paramiko", {"timeout": 10}, {"timeout": 3}, id="like paramiko"),
        pytest.param("community.docker.docker", {}, {}, id="no options"),
    ],
)
def test_shorten_of_another_transport(
    transport: str, options: dict[str, t.Any], expected: dict[str, t.Any]
) -> None:
    connection = FakeConnection(transport, options)
    remote(connection).shorten()
    assert connection.options == expected


@pytest.mark.parametrize(
    "error",
    [AnsibleConnectionFailure("gone"), AttributeError("reset")],
    ids=["lost", "cannot reset"],
)
def test_shorten_goes_on_if_there_is_nothing_to_close(error: Exception) -> None:
    connection = FakeConnection(reset_error=error)
    remote(connection, timeout=7).shorten()
    assert connection.options["timeout"] == 7


class Unlike(FakeConnection):
    """A connection that calls itself ssh, and has and does nothing else of it than commands."""

    def __getattribute__(self, name: str) -> t.Any:
        if name in {"_build_command", "become", "reset", "close"}:
            raise AttributeError(name)
        return super().__getattribute__(name)


class ReadOnly(FakeConnection):
    """A connection whose options cannot be set."""

    def set_option(self, name: str, value: t.Any) -> None:
        raise AttributeError(name)


class Misnamed(FakeConnection):
    """A connection that asks for other arguments than Ansible's own."""

    def __init__(self) -> None:
        super().__init__()
        vars(self)["reset"] = vars(self)["close"] = self._called

    def _called(self, how: str) -> None:
        raise AssertionError(how)


@pytest.mark.parametrize("kind", [Unlike, ReadOnly, Misnamed])
def test_host_is_rebooted_over_a_connection_that_is_unlike_ansibles(
    kind: type[FakeConnection],
) -> None:
    connection = kind()
    host = Host(said_by_host)
    used = remote(connection, host)
    used.leave(DEPARTURE)
    used.shorten()
    assert used.observe(FAR).boot_id == BOOT_ID
    used.restore()
    assert connection.options == SSH_OPTIONS
    with pytest.raises(NoAnswerError, match="gone"):
        remote(connection, Host(AnsibleConnectionFailure("gone"))).observe(FAR)


class OddConnection(FakeConnection):
    """A connection that cannot tell how modules are sent."""

    def is_pipelining_enabled(self) -> bool:
        raise NotImplementedError


def test_connection_that_cannot_tell_how_modules_are_sent_gets_no_terminal() -> None:
    connection = OddConnection(become=FakeBecome())
    remote(connection, Host(lambda _command: "mark")).leave(DEPARTURE)
    assert connection.options["use_tty"] is False


def test_error_of_another_client_in_this_process_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Error(Exception):
        """What all of that client's errors are."""

    monkeypatch.setitem(sys.modules, "mitogen.core", t.cast("t.Any", SimpleNamespace(Error=Error)))
    with pytest.raises(NoAnswerError, match="the peer has gone") as caught:
        remote(host=Host(Error("the peer has gone"))).observe(FAR)
    assert caught.value.kind == "silent"


# --- The connection afterwards -------------------------------------------------------------


@pytest.mark.parametrize(
    ("transport", "options"),
    [
        pytest.param("ssh", SSH_OPTIONS, id="ssh"),
        pytest.param("ansible.builtin.ssh", SSH_OPTIONS, id="ssh by its full name"),
        pytest.param("ssh", {**SSH_OPTIONS, "ssh_args": None, "use_tty": False}, id="unset"),
        pytest.param("paramiko", {"timeout": 10}, id="like paramiko"),
        pytest.param("community.docker.docker", {}, id="no options"),
    ],
)
@pytest.mark.parametrize("outcome", [None, AnsibleConnectionFailure("gone")], ids=["ok", "lost"])
def test_restore_gives_the_connection_back_as_it_was(
    transport: str, options: dict[str, t.Any], outcome: Exception | None
) -> None:
    connection = FakeConnection(transport, options)
    used = remote(connection, Host(outcome))
    with contextlib.suppress(NoAnswerError):
        used.leave(DEPARTURE)
    used.shorten()
    with contextlib.suppress(NoAnswerError):
        used.observe(FAR)
    used.restore()
    assert connection.options == options


def test_restore_of_a_connection_that_was_not_used() -> None:
    connection = FakeConnection()
    remote(connection).restore()
    assert connection.options == SSH_OPTIONS


# --- The probe -----------------------------------------------------------------------------


def ssh_client(folder: Path, says: str) -> str:
    """A program that answers as `ssh -G` does, and keeps what it was asked."""
    path = folder / "ssh"
    asked = shlex.quote(str(folder / "asked"))
    path.write_text(f"#!/bin/sh\necho \"$@\" >{asked}\nprintf '%s' {shlex.quote(says)}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return os.fspath(path)


def test_prober_knocks_where_ssh_would_connect(tmp_path: Path) -> None:
    client = ssh_client(tmp_path, "hostname 192.0.2.7\nport 2222\n")
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": client})
    assert isinstance(remote(connection).prober(), BannerProber)
    assert (tmp_path / "asked").read_text() == "-G web1\n"


def test_prober_of_a_connection_through_a_proxy_is_none(tmp_path: Path) -> None:
    client = ssh_client(tmp_path, "hostname 192.0.2.7\nport 22\nproxyjump bastion\n")
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": client})
    assert remote(connection).prober() is None


def test_prober_of_a_client_that_hangs_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_module, "LOCAL_SECONDS", 0.2)
    client = tmp_path / "ssh"
    client.write_text("#!/bin/sh\nexec sleep 5\n")
    client.chmod(0o755)
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": os.fspath(client)})
    assert remote(connection, timeout=600).prober() is None


def test_order_outlives_what_the_client_may_take_for_itself() -> None:
    # Looking for a probe, before the order is given.
    assert remote_module.LOCAL_SECONDS * 2 <= orders.ORDER_SECONDS


def test_prober_of_a_client_that_cannot_be_run_is_none(tmp_path: Path) -> None:
    said = list[str]()
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": str(tmp_path / "ssh")})
    assert remote(connection, log=said.append).prober() is None
    assert "the host is not probed: [Errno 2] No such file" in said[0]


def test_prober_of_a_client_that_fails_says_what_it_said(tmp_path: Path) -> None:
    client = tmp_path / "ssh"
    client.write_text("#!/bin/sh\necho 'Bad configuration option: x' >&2\nexit 255\n")
    client.chmod(0o755)
    said = list[str]()
    connection = FakeConnection(options={**SSH_OPTIONS, "ssh_executable": os.fspath(client)})
    assert remote(connection, log=said.append).prober() is None
    ended = "ssh -G ended with 255: Bad configuration option: x"
    assert said == [f"the host is not probed: {ended}"]


def test_prober_of_another_transport_is_none() -> None:
    assert remote(FakeConnection("paramiko", {})).prober() is None

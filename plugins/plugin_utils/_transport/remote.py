# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The host behind Ansible's connection."""

from __future__ import annotations

import contextlib
import glob
import secrets
import shutil
import subprocess
import sys
import tempfile
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import judge

from .._reboot import failure, frames, health, observation
from .._reboot.health import Examination, Questions
from .._reboot.observation import Observation
from .._reboot.ports import Departure, NoAnswerError, OtherBootError, OtherRunError, classify
from . import client, commands, controller
from .limit import CallTimeoutError, limit
from .prober import BannerProber, prober_for

if t.TYPE_CHECKING:
    from ansible.plugins.connection import ConnectionBase

# A host that vanishes in the middle of a call is noticed. OpenSSH uses the first value that it
# finds, so these must stand before the user's own.
ALIVE = "-o ServerAliveInterval=1 -o ServerAliveCountMax=3"
NOT_SHARED = f"-o ControlMaster=no -o ControlPath=none {ALIVE}"
# A socket's path must fit in 107 bytes, and ssh adds 17 to it while it makes the socket.
SOCKET_BYTES = 90
# Room for the login, the command and an ssh client that waits for its keepalives.
CALL_SECONDS = 15.0
# What the client does by itself is done at once. An order that is about to be given must not expire
# meanwhile, nor may the time of a wait be over.
LOCAL_SECONDS = 5.0

# Clients that are a part of Ansible's process, and what all their own errors are.
IN_PROCESS = (("paramiko", "SSHException"), ("mitogen.core", "Error"))

Execute = t.Callable[[str], t.Mapping[str, t.Any]]


class AnsibleRemote:
    """Commands through the connection that the task has."""

    def __init__(
        self,
        connection: ConnectionBase,
        execute: Execute,
        log: t.Callable[[str], None],
        *,
        connect_timeout: float,
    ) -> None:
        self._connection = connection
        self._execute = execute
        self._log = log
        self._connect_timeout = connect_timeout
        self._saved: dict[str, t.Any] = {}
        # Whether each question logs in by ssh anew, and where what follows an answer finds its
        # connection; None if nothing does.
        self._anew = False
        self._sockets: str | None = None
        self._shares = False
        self._asked = 0

    def leave(self, departure: Departure) -> Outcome:
        command = commands.leave(departure)
        # Who becomes root may need a terminal, for a password or because sudoers say requiretty, and
        # gets what the module got. Nobody else does: its end hangs up on what was started in it.
        if not self._module_had_tty():
            self._set("use_tty", False)
        # An order is given once: whether a lost one arrived is found out by asking.
        self._set("reconnection_retries", 0)
        return self._call(command, self._call_seconds)

    def shorten(self) -> None:
        """The connection that brought the order would wait forever for a host that is gone."""
        self._drop("reset")
        self._anew = client.ssh_command(self._connection) is not None
        if self._anew:
            self._share()
        self._set("timeout", max(1, round(self._connect_timeout)))

    def observe(self, within: float) -> Observation:
        self._connect_anew()
        nonce = secrets.token_hex(8)
        completed = self._call(commands.observe(nonce), min(within, self._call_seconds))
        seen = observation.parse(completed.stdout, nonce)
        if seen is None:
            raise NoAnswerError("garbled", f"the host answered {_end(completed)!r}")
        return seen

    def test(self, command: str, boot_id: str, within: float) -> Outcome:
        return self._on_boot(lambda mark: commands.test(command, boot_id, mark), within)

    def confirm(self, token: str, boot_id: str, within: float) -> Outcome:
        seconds = min(within, self._call_seconds)
        return self._on_boot(lambda mark: commands.confirm(token, boot_id, mark), seconds)

    def examine(self, questions: Questions, boot_id: str, within: float) -> Examination:
        nonce = secrets.token_hex(8)
        share = within / max(1, len(questions.commands))
        completed = self._on_boot(
            lambda mark: commands.examine(questions, boot_id, mark, nonce, share),
            within + self._call_seconds,
        )
        found = health.parse(completed.stdout, nonce, len(questions.commands))
        if found is None:
            raise NoAnswerError("garbled", f"the host answered {_end(completed)!r}")
        return found

    def take(self, run: str) -> str:
        return self._remember("take", run)

    def keep(self, run: str, note: str, *, known: bool) -> None:
        self._remember("keep" if known else "claim", run, note)

    def tell(self) -> str:
        return self._remember("tell", "-")

    def _remember(self, what: str, run: str, note: str = "") -> str:
        """What the host remembers; behind a mark of this call alone it says who must not act."""
        mark, nonce = secrets.token_hex(8), secrets.token_hex(8)
        boot_id = controller.boot_id()
        command = commands.memory(what, run, note, mark, nonce, controller_boot_id=boot_id)
        completed = self._call(command, self._call_seconds)
        _before, found_mark, behind = completed.stdout.partition(mark)
        if found_mark:
            raise _refusal(behind.split())
        found = frames.between(completed.stdout, nonce)
        if found is None:
            raise NoAnswerError("garbled", f"the host answered {_end(completed)!r}")
        return found

    def _on_boot(self, command: t.Callable[[str], str], within: float) -> Outcome:
        """A command that is for one boot: a mark of this call alone says that another one runs."""
        mark = secrets.token_hex(8)
        completed = self._call(command(mark), within)
        if mark in completed.stdout.split():
            raise OtherBootError
        return completed

    def prober(self) -> BannerProber | None:
        """A prober, where the connection goes straight to an ssh server."""
        command = client.ssh_command(self._connection, "-G")
        if command is None:
            return None
        try:
            answer = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=LOCAL_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self._log(f"the host is not probed: {_line(error)}")
            return None
        if answer.returncode != 0:
            said = " ".join(answer.stderr.decode(errors="replace").split())
            self._log(f"the host is not probed: ssh -G ended with {answer.returncode}: {said}")
            return None
        return prober_for(answer.stdout.decode(errors="replace"))

    def restore(self) -> None:
        """Give the connection back with the options that it had."""
        while self._saved:
            self._connection.set_option(*self._saved.popitem())
        if self._sockets is not None:
            client.end_shared(self._connection, glob.glob(f"{self._sockets}/*"))
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _connect_anew(self) -> None:
        """Let this question log in, and what follows an answer share its connection for a while.

        The connection of an earlier question may lead to a system that is gone.
        """
        if not self._anew:
            return
        self._asked += 1
        socket = f"{self._sockets}/{self._asked}"
        shared = f"-o ControlMaster=auto -o ControlPath={socket} -o ControlPersist=10 {ALIVE}"
        fits = self._shares and len(socket.encode()) <= SOCKET_BYTES
        before = self._saved.get("ssh_args", self._connection.get_option("ssh_args"))
        self._set("ssh_args", f"{shared if fits else NOT_SHARED} {before or ''}".strip())

    def _share(self) -> None:
        """Make a folder for sockets; without one, each command logs in for itself."""
        try:
            self._sockets = tempfile.mkdtemp(prefix="kexec-")
        except OSError as error:
            self._log(f"commands share no connection: {_line(error)}")
        self._shares = self._sockets is not None

    def _stop_sharing(self, said: str) -> None:
        """A client that cannot make its socket ends, although the host let it in."""
        if self._shares and f"{self._sockets}/" in said:
            self._log(f"commands share no connection from now on: {said}")
            self._shares = False

    def _module_had_tty(self) -> bool:
        """Whether the module had a terminal, if the user lets the connection have one."""
        connection = self._connection
        try:
            return connection.become is not None and not connection.is_pipelining_enabled()
        except client.UNLIKE:
            return False

    def _set(self, option: str, value: t.Any) -> None:
        """Set an option that the transport has, and remember what it was."""
        try:
            before = self._connection.get_option(option)
            self._connection.set_option(option, value)
        except client.UNLIKE:
            return
        self._saved.setdefault(option, before)

    @property
    def _call_seconds(self) -> float:
        return CALL_SECONDS + self._connect_timeout

    def _call(self, command: str, seconds: float) -> Outcome:
        """One command; whatever becomes of the connection is NoAnswerError."""
        try:
            with self._ended(), limit(seconds):
                result = self._execute(command)
        except CallTimeoutError:
            self._drop("close")
            raise NoAnswerError("silent", "the connection hung and was given up") from None
        except AnsibleConnectionFailure as error:
            self._drop("close")
            text = _line(error)
            self._stop_sharing(text)
            raise NoAnswerError(classify(text), text) from error
        except (AnsibleError, ValueError) as error:
            # Such as a password prompt that did not come, or an argument that no program can be
            # given; the next answer may be another one.
            raise NoAnswerError("garbled", _line(error)) from error
        except _client_errors() as error:
            self._drop("close")
            raise NoAnswerError("silent", _line(error) or type(error).__name__) from error
        completed = Outcome(result["rc"], result["stdout"], result["stderr"])
        if completed.rc < 0 and not completed.stdout:
            self._drop("close")
            raise NoAnswerError("silent", "the connection ended before the command did")
        return completed

    def _drop(self, how: t.Literal["close", "reset"]) -> None:
        """End what is open; that it is broken already is no news, nor that it cannot be ended."""
        broken = contextlib.suppress(*client.UNLIKE, *_client_errors())
        given_up = contextlib.suppress(CallTimeoutError)
        with broken, given_up, self._ended(), limit(LOCAL_SECONDS):
            getattr(self._connection, how)()

    def _ended(self) -> client.Ended:
        """What an interrupted call leaves is ended; nobody else uses a socket of our own."""
        return client.Ended(self._connection, shared=not self._anew)


def _client_errors() -> tuple[type[Exception], ...]:
    """What a client that is a part of Ansible's process lets through when a connection breaks."""
    loaded = [(sys.modules.get(module), name) for module, name in IN_PROCESS]
    own = [getattr(module, name) for module, name in loaded if hasattr(module, name)]
    return (OSError, EOFError, *own)


def _refusal(words: t.Sequence[str]) -> Exception:
    """Why a host remembers nothing for whoever asked, as memory.sh says it."""
    match words:
        case ["target_is_controller", *_others]:
            return failure.unfit(judge.target_is_controller())
        case ["not_root", user, *_others] if user.isdecimal():
            return failure.unfit(judge.not_root(int(user)))
    return OtherRunError()


def _end(completed: Outcome) -> str:
    """The last that a host said."""
    return f"{completed.stdout}{completed.stderr}".strip()[-200:]


def _line(error: Exception) -> str:
    """What a client said, on one line."""
    return " ".join(str(error).split())

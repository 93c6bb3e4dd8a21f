# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of one connection, and what the host answers."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from . import answers, commands, payload
from .boot import Image
from .commands import Become, Request
from .payload import Module

if t.TYPE_CHECKING:
    from .host import Host
    from .script import Moment
    from .server import Connection

REAL_MODULE_SECONDS = 60.0
BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True)
class Answer:
    """What a command prints, and its exit status."""

    stdout: str = ""
    rc: int = 0
    stderr: str = ""


def files(connection: Connection, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
    """A transfer of files, into the folder that stands for the host's root."""
    connection.host.journal.note("command", "sftp")
    return asyncssh.SFTPServer(channel, chroot=str(connection.host.folder).encode())


async def serve(connection: Connection, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Answer one command; nothing of it is run on this machine."""
    try:
        await Session(connection, process).answer(process.command or "")
    except (asyncssh.Error, OSError):
        # The client has gone, or the host has.
        process.close()


class Session:
    """One command."""

    def __init__(self, connection: Connection, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._connection = connection
        self._host: Host = connection.host
        self._process = process
        self._user = str(process.get_extra_info("username"))

    async def answer(self, command: str) -> None:
        request = commands.parse(command)
        root = self._user == "root" or request.become is not None
        self._host.journal.note("command", _summary(request), as_root=root)
        self._write(self._host.script.greeting)
        if request.become is not None and not await self._become(request.become):
            self._end(Answer(rc=1, stderr="a password is required\n"))
            return
        answer = await self._act(request.action, root=root)
        if not self._connection.frozen:
            self._end(answer)

    def _end(self, answer: Answer) -> None:
        self._write(answer.stdout)
        self._process.stderr.write(answer.stderr.encode())
        self._process.exit(answer.rc)

    def _write(self, text: str) -> None:
        # A terminal begins each line at its left edge.
        if self._process.get_terminal_type() is not None:
            text = text.replace("\n", "\r\n")
        self._process.stdout.write(text.encode())

    async def _become(self, become: Become) -> bool:
        """Ask for the password where one is needed, and say who the user is now."""
        wanted = self._host.script.password
        if wanted is not None and self._user != "root":
            if become.prompt is None:
                return False
            on_terminal = self._process.get_terminal_type() is not None
            (self._process.stdout if on_terminal else self._process.stderr).write(
                become.prompt.encode()
            )
            given = (await self._process.stdin.readline()).decode().strip()
            if given != wanted:
                return False
        self._write(f"{become.mark}\n")
        return True

    async def _act(self, action: commands.Action, *, root: bool) -> Answer:
        match action:
            case commands.Home():
                return Answer("/root\n" if self._user == "root" else f"/home/{self._user}\n")
            case commands.MakeTemporary(path, name):
                self._place(path).mkdir(parents=True, exist_ok=True)
                return Answer(f"{name}={path}\n")
            case commands.RunPython(path):
                return await self._module(path)
            case _:
                return await self._at_once(action, root=root)

    async def _at_once(self, action: commands.Action, *, root: bool) -> Answer:
        match action:
            case commands.Leave():
                return await self._leave(action, root=root)
            case commands.Shell():
                return await self._shell(action, root=root)
            case commands.Run(text):
                return await self._run(text, root=root)
            case commands.Housekeeping(removes=True):
                await self._breaks("removal")
                return Answer()
            case _:
                return Answer()

    def _place(self, path: str) -> Path:
        """Where a file of the host is on this machine."""
        return self._host.folder / path.lstrip("/")

    async def _breaks(self, moment: Moment) -> bool:
        """Whether the connection is broken now, because the script says so."""
        fault = self._host.fault(moment)
        if fault is not None and fault.how == "pause":
            await asyncio.sleep(fault.pause)
        elif fault is not None:
            self._host.break_off(self._connection, fault)
        return self._connection.frozen

    # --- Modules ---------------------------------------------------------------------------

    async def _module(self, path: str | None) -> Answer:
        sent = await self._process.stdin.read() if path is None else self._place(path).read_bytes()
        module = payload.parse(sent)
        if module is None:
            return Answer(rc=1, stderr="the host knows no such program\n")
        self._host.journal.note("module", module.name)
        if await self._breaks("module"):
            return Answer()
        if self._host.script.real_modules:
            return await _really(module, sent)
        return _printed(self._returned(module))

    def _returned(self, module: Module) -> dict[str, t.Any]:
        host = self._host
        match module.name:
            case "kexec_load":
                return self._load(module)
            case "kexec_preflight":
                return answers.preflight(host.boot, host.image, able=host.script.able)
            case "setup":
                return answers.setup(host.boot)
            case "find":
                return answers.find(module.arguments["patterns"])
            case "ping":
                return {"changed": False, "ping": "pong"}
            case _:
                return {"failed": True, "msg": f"the host is not scripted for {module.name}"}

    def _load(self, module: Module) -> dict[str, t.Any]:
        host = self._host
        image = Image(host.boot.release, module.arguments.get("token"))
        changed = image != host.image
        if host.script.able and not module.check_mode:
            host.image = image
            host.journal.note("loaded", image.token or "")
        return answers.load(host.boot, image, able=host.script.able, changed=changed)

    # --- Commands --------------------------------------------------------------------------

    async def _leave(self, order: commands.Leave, *, root: bool) -> Answer:
        if await self._breaks("order"):
            return Answer()
        if not root or not self._host.leave(order):
            return Answer(rc=126, stderr="sh: setsid: Permission denied\n")
        if await self._breaks("ordered"):
            return Answer()
        return Answer(f"\n{order.acknowledgement}\n")

    async def _shell(self, script: commands.Shell, *, root: bool) -> Answer:
        match script.name:
            case "confirm.sh" | "health.sh" | "test.sh" if script.named["boot"] not in (
                "-",
                self._host.boot.boot_id,
            ):
                return Answer(f"\n{script.named['mark']}\n", rc=1)
            case "observe.sh" | "health.sh" | "memory.sh":
                return await self._tell(script, root=root)
            case "test.sh":
                return await self._run(script.named["command"], root=root)
            case "confirm.sh":
                if await self._breaks("confirm") or not self._host.confirm(script):
                    return Answer(rc=1)
                return Answer(f"\n{script.arguments[0]}\n")
            case _:
                return Answer(rc=127, stderr=f"the host is not scripted for {script.name}\n")

    async def _tell(self, script: commands.Shell, *, root: bool) -> Answer:
        if script.name == "observe.sh":
            broken = await self._breaks("observe")
            return Answer("" if broken else self._host.observe(script))
        if script.name == "memory.sh":
            return Answer(self._host.remember(script, root=root))
        broken = await self._breaks("examine")
        return Answer("" if broken else self._host.examine(script))

    async def _run(self, text: str, *, root: bool) -> Answer:
        host = self._host
        words = shlex.split(text)
        program = words[0].rpartition("/")[2] if words else ""
        if program == "cat" and words[1:] == [BOOT_ID]:
            return Answer(f"{host.boot.boot_id}\n")
        if program == "reboot":
            host.reboot()
            return Answer()
        if program == "echo":
            return Answer(" ".join(words[1:]) + "\n")
        if program == "true":
            return Answer()
        if program == "whoami":
            return await self._test(Answer("root\n" if root else f"{self._user}\n"))
        return Answer(rc=127, stderr=f"sh: {program}: not found\n")

    async def _test(self, answer: Answer) -> Answer:
        if await self._breaks("test"):
            return Answer()
        return Answer(rc=1) if self._host.test_fails() else answer


def _summary(request: Request) -> str:
    """A command in a few words."""
    action = request.action
    match action:
        case commands.Leave():
            return "leave"
        case commands.Shell("test.sh", named=named):
            return named["command"]
        case commands.Shell(name):
            return name
        case commands.Run(text):
            return text
        case _:
            return type(action).__name__


def _printed(result: dict[str, t.Any]) -> Answer:
    """As AnsibleModule prints it: on a line of its own."""
    return Answer(f"\n{json.dumps(result)}\n", int(bool(result.get("failed"))))


async def _really(module: Module, sent: bytes) -> Answer:
    """Run a module that only reads."""
    if not module.reads_only:
        return Answer(rc=1, stderr=f"{module.name} would change this machine\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    work = process.communicate(sent)
    stdout, stderr = await asyncio.wait_for(work, REAL_MODULE_SECONDS)
    return Answer(stdout.decode(), process.returncode or 0, stderr.decode())

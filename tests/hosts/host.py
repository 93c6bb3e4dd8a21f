# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One scripted host: the system that it runs, how it leaves, and how it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import typing as t
from pathlib import Path

import asyncssh

from . import boot as boots
from .boot import Boot, Image
from .commands import Leave, Shell
from .gate import Gate, reset
from .journal import Journal
from .penalties import Ledger
from .script import Fault, Moment, Script
from .server import Connection

CLOSE_SECONDS = 1.0
# Where the commands of health.sh begin.
EXAMINED_COMMANDS = 6
TURNED_AWAY = b"Not allowed at this time\r\n"


class Host:
    """What the tests see; they may give it another script between two plays."""

    def __init__(self, name: str, address: str, port: int, folder: Path, client_key: bytes) -> None:
        self.name = name
        self.address = address
        self.port = port
        self.folder = folder
        self.script = Script()
        self.boot = Boot()
        self.image: Image | None = None
        self.stage = ""
        self.journal = Journal()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._initramfs_key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = client_key
        # Whoever must know before somebody connects.
        self.came_up: t.Callable[[Host], None] = lambda _host: None
        self._gate = Gate(address, port, self._accept)
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[t.Any]] = set()
        self._life: asyncio.Task[None] | None = None
        self._leaving = False
        self._reached: dict[Fault, int] = {}
        self._ledger: Ledger | None = None
        self._unlocked_from = self._logins_from = 0.0
        self._failed_tests = 0
        self._examined = 0
        # What it remembers of the role, over boots.
        self.memory = ""

    # --- Called from the tests' thread -----------------------------------------------------

    @property
    def answered_at(self) -> float:
        """The moment of the monotonic clock at which it began to answer again."""
        return self.journal.find("up")[-1].time

    @property
    def public_key(self) -> str:
        return self.key.export_public_key().decode().strip()

    def operations_before_order(self) -> int:
        """Commands and file transfers, with the order itself."""
        events = self.journal.before("order")
        return sum(event.what == "command" for event in events)

    # --- Its life, on the thread of the event loop -----------------------------------------

    def power_on(self) -> None:
        self._gate.open()

    async def power_off(self) -> None:
        if self._life is not None:
            self._life.cancel()
        self._gate.close()
        # What a jump host forwards ends with a connection that is closed, and not with a lost one.
        for connection in set(self._connections):
            connection.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        for connection in set(self._connections):
            connection.abort()

    def leave(self, order: Leave) -> bool:
        """Take the order to leave; the answer is whether the order was understood."""
        if self.script.trigger == "refused":
            return False
        named = order.script.named
        right_boot = named["boot"] == self.boot.boot_id
        if self.script.trigger in ("taken", "late") and right_boot and not self._leaving:
            self.journal.note("order", named["method"])
            self._begin(order.script)
        return True

    def reboot(self) -> None:
        """Leave through firmware, as the command reboot does."""
        if not self._leaving:
            self.journal.note("order", "firmware")
            self._live(self._go("firmware", "", 0.0))

    def _begin(self, order: Shell) -> None:
        named = order.named
        self._live(
            self._take(named["method"], named["mark"], float(named["delay"]), int(named["expires"]))
        )

    def _live(self, life: t.Coroutine[t.Any, t.Any, None]) -> None:
        self._life = asyncio.get_running_loop().create_task(life)

    async def _take(self, ordered: str, mark: str, delay: float, expires: int) -> None:
        if self.script.trigger == "late":
            # For ever means: after the order is void.
            await asyncio.sleep(min(self.script.late, expires - self.boot.uptime + 1))
        if self.boot.uptime >= expires:
            self._note(mark, "expired")
            return
        await self._go(ordered, mark, delay)

    async def _go(self, ordered: str, mark: str, delay: float) -> None:
        script = self.script
        self._leaving = True
        self._note(mark, "waiting")
        await asyncio.sleep(delay)
        self._note(mark, "shutdown")
        if not script.goes_down:
            return
        await asyncio.sleep(script.shutdown)
        self._vanish(script)
        if not script.returns:
            return
        way = boots.method(script, "kexec" if ordered == "kexec" else "firmware", self.image)
        await asyncio.sleep(boots.downtime(script, way))
        self._come_up(script, way)

    def _note(self, mark: str, stage: str) -> None:
        if mark:
            self.stage = f"{mark} {stage}"

    def _vanish(self, script: Script) -> None:
        if script.port == "ignored":
            self._gate.ignore()
        else:
            self._gate.refuse()
        for connection in set(self._connections):
            if script.vanish == "cut":
                self.freeze(connection)
            else:
                connection.close()
        self.journal.note("down")

    def _come_up(self, script: Script, way: boots.Method) -> None:
        self.boot = boots.after(self.boot, script, way, self.image)
        self.image, self.stage, self._leaving = None, "", False
        self._ledger = None
        self._reached.clear()
        self._failed_tests = 0
        self._examined = 0
        if script.new_host_key:
            self.key = asyncssh.generate_private_key("ssh-ed25519")
        if script.moves_to is not None:
            self._gate.close()
            self.address = script.moves_to
            self._gate = Gate(self.address, self.port, self._accept)
        self._unlocked_from = time.monotonic() + script.initramfs_server_for
        self._logins_from = self._unlocked_from + script.refuses_logins_for
        self._gate.open()
        self.came_up(self)
        self.journal.note("up")

    # --- Connections -----------------------------------------------------------------------

    def _accept(self, accepted: socket.socket) -> None:
        rules, now = self.script.penalties, time.monotonic()
        if rules is not None and self._ledger is None:
            self._ledger = Ledger(rules)
        if self._ledger is not None and self._ledger.refuses(now):
            self.journal.note("penalised")
            with contextlib.suppress(OSError):
                accepted.send(TURNED_AWAY)
            accepted.close()
            return
        self.journal.note("connection")
        connection = Connection(self, accepted)
        self._connections.add(connection)
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not connection.logged_in and not connection.frozen:
            self.journal.note("unauthenticated")
            if self._ledger is not None:
                self._ledger.charge(time.monotonic(), refused=connection.was_refused)

    def server_key(self) -> asyncssh.SSHKey:
        """The key of the ssh server that answers at this moment."""
        in_initramfs = time.monotonic() < self._unlocked_from
        return self._initramfs_key if in_initramfs else self.key

    def accepts_logins(self) -> bool:
        return time.monotonic() >= self._logins_from

    def freeze(self, connection: Connection) -> None:
        """Say nothing more on a connection, not even that it has ended."""
        self._gate.freeze(connection.freeze())

    def break_off(self, connection: Connection, fault: Fault) -> None:
        if fault.how == "silence":
            self.freeze(connection)
        else:
            reset(connection.freeze())

    def fault(self, moment: Moment) -> Fault | None:
        """What happens to a connection that has come to that moment, if anything."""
        for fault in self.script.faults:
            reached = self._reached.get(fault, 0)
            if fault.at == moment and reached < fault.times and self.boot.number >= fault.boot:
                self._reached[fault] = reached + 1
                return fault
        return None

    # --- What it tells ---------------------------------------------------------------------

    def confirm(self, script: Shell) -> bool:
        """Whether this boot could note that it was found to work."""
        token = script.arguments[0]
        right_boot = f"{boots.TOKEN_PARAMETER}={token}" in self.boot.cmdline.split()
        if right_boot and self.script.can_be_confirmed:
            self.journal.note("confirmed", token)
            return True
        return False

    def test_fails(self) -> bool:
        """Whether the test command fails this time."""
        if self.boot.number == 0 or self._failed_tests >= self.script.test_failures:
            return False
        self._failed_tests += 1
        return True

    def remember(self, script: Shell, *, root: bool) -> str:
        """What memory.sh prints, and keeps."""
        told, note = script.named, self.memory
        what, owner, rest = told["what"], note.partition(" ")[0], note.partition(" ")[2]
        if not root:
            return f"\n{told['mark']} not_root 1000\n"
        if what == "take" and note:
            self._keep(f"{told['id']} {rest}")
        if what in ("claim", "keep"):
            knows_none = not owner and (what == "claim" or not told["note"])
            if owner != told["id"] and not knows_none:
                return f"\n{told['mark']} overtaken\n"
            self._keep(f"{told['id']} {told['note']}" if told["note"] else "")
        said = note if what in ("take", "tell") else ""
        return f"\nBEGIN {told['nonce']}\n{said}\nEND {told['nonce']}\n"

    def _keep(self, note: str) -> None:
        if note != self.memory:
            self.memory = note
            self.journal.note("remembered", note)

    def examine(self, script: Shell) -> str:
        """What health.sh prints."""
        nonce, services = script.named["nonce"], self._running_services()
        ran = ["rc-status 127"] if services is None else ["rc-status 0", "service [default]"]
        ran += [f"service {name} =  started" for name in services or ()]
        lines = ran if script.named["services"] == "yes" else []
        lines += ["port 0016"] if script.named["ports"] == "yes" else []
        for number, command in enumerate(script.arguments[EXAMINED_COMMANDS:]):
            lines.append(f"command {number} {0 if command == 'true' else 127}")
            lines += [] if command == "true" else [f"said {number} sh: {command}: not found"]
        return "\n".join(["", f"BEGIN {nonce}", *lines, f"END {nonce}", ""])

    def _running_services(self) -> list[str] | None:
        """What OpenRC has started by now; each boot but the first may lack some for a while."""
        services = self.script.services
        if services is None or self.boot.number == 0:
            return None if services is None else [*services]
        self._examined += 1
        lacks = self.script.lacks if self._examined <= self.script.lacks_times else ()
        return [name for name in services if name not in lacks]

    def observe(self, script: Shell) -> str:
        """What observe.sh prints."""
        nonce = script.arguments[0]
        fields = {
            "boot_id": self.boot.boot_id,
            "release": self.boot.release,
            "bootloader_type": self.boot.bootloader_type,
            "hardware_id": self.boot.hardware_id,
            "uptime": f"{self.boot.uptime:.2f} 1.00",
            "stage": self.stage,
            "cmdline": self.boot.cmdline,
        }
        lines = [f"{name} {value}" for name, value in fields.items()]
        return "\n".join(["", f"BEGIN {nonce}", *lines, f"END {nonce}", ""])

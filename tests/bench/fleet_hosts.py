# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of scripted hosts behind a scripted ssh client: files, and one server that greets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import typing as t
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hosts import answers
from tests.hosts.boot import Boot, Image

CLIENT = Path(__file__).parent / "stand_in/ssh"
BOOT_SIGN = "@BOOT_ID@"
BANNER = b"SSH-2.0-scripted\r\n"
# From the order, past its delay, until the host is gone.
SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True)
class Host:
    """One host's file: seconds are those since this machine's boot, 0 where nothing is ordered."""

    boot_id: str
    next_boot_id: str = "-"
    token: str = "-"
    mark: str = "-"
    down: float = 0.0
    up: float = 0.0

    def answers_at(self, now: float) -> bool:
        return not self.down <= now < self.up

    @property
    def rebooted(self) -> bool:
        return self.down > 0


def write(host: Host) -> str:
    """Return the line that the client reads."""
    times = f"{round(host.down * 100)} {round(host.up * 100)}"
    return f"{host.boot_id} {host.next_boot_id} {host.token} {host.mark} {times}\n"


def parse(line: str) -> Host:
    """Return the host of a line that this module or the client wrote."""
    boot_id, next_boot_id, token, mark, down, up = line.split()
    return Host(boot_id, next_boot_id, token, mark, int(down) / 100, int(up) / 100)


def address(number: int) -> str:
    """Return an address of the loopback network for each host."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


class Fleet:
    """Hosts in a folder."""

    def __init__(self, folder: Path, size: int, downtime: float) -> None:
        self._folder = folder
        self._addresses = [address(number) for number in range(size)]
        self._downtime = downtime
        self.inventory = folder / "inventory.ini"
        self._create()

    def _create(self) -> None:
        (self._folder / "hosts").mkdir()
        (self._folder / "answers").mkdir()
        for name in self._addresses:
            (self._folder / "hosts" / name).write_text(write(Host(str(uuid.uuid4()))))
        for module, result in _answers().items():
            (self._folder / "answers" / module).write_text(json.dumps(result) + "\n")
        self.inventory.write_text("".join(f"{name}\n" for name in self._addresses))

    def environment(self, port: int) -> dict[str, str]:
        """Return what Ansible and the client need to know."""
        return {
            "ALPINEFLEET_STAND_IN": str(self._folder),
            "ALPINEFLEET_BEACON": str(port),
            "ALPINEFLEET_DOWNTIME": str(round(self._downtime * 100)),
            "ALPINEFLEET_SHUTDOWN": str(round(SHUTDOWN_SECONDS * 100)),
            "ANSIBLE_SSH_EXECUTABLE": str(CLIENT),
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        }

    def host(self, name: str) -> Host:
        return parse((self._folder / "hosts" / name).read_text(encoding="ascii"))

    def hosts(self) -> dict[str, Host]:
        return {name: self.host(name) for name in self._addresses}

    def unknown(self) -> str:
        """Return what the client was asked and did not understand."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "unknown").read_text(encoding="utf-8")
        return ""


def _answers() -> Mapping[str, Mapping[str, t.Any]]:
    boot = Boot(boot_id=BOOT_SIGN)
    return {
        "kexec_load": answers.load(boot, Image(boot.release), able=True, changed=True),
        "setup": answers.setup(boot),
        "find": answers.find(["reboot"]),
    }


def now() -> float:
    """Return the seconds that /proc/uptime counts."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextlib.contextmanager
def beacon(fleet: Fleet) -> Iterator[int]:
    """Greet on each host's address while that host is up, as an ssh server does."""
    stop = threading.Event()
    with socket.create_server(("", 0), backlog=1024) as server:
        server.settimeout(0.2)
        thread = threading.Thread(target=_serve, args=(server, fleet, stop), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def _serve(server: socket.socket, fleet: Fleet, stop: threading.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection, _peer = server.accept()
            with connection:
                if fleet.host(connection.getsockname()[0]).answers_at(now()):
                    connection.sendall(BANNER)

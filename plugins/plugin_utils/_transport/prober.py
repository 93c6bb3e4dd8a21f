# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Seeing that an ssh server answers, at a fraction of a login's cost."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

from .._reboot.health import TCP_PORTS

LOOKUP_SECONDS = 0.5
CONNECT_SECONDS = 0.5
BANNER_SECONDS = 1.5
BANNER = b"SSH-"

Address = tuple[socket.AddressFamily, t.Any]


class Lookup:
    """The addresses of a name, asked for anew each time because they may change.

    The question runs beside the task: nothing interrupts one to a name server that does not
    answer, and that server may be the host which is down. Until there is an answer the last one
    counts.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._found = _numeric(host, port)
        # An address stays what it is, and a thread for each probe is most of what a probe costs.
        self._is_address = bool(self._found)
        self._question: threading.Thread | None = None

    def addresses(self) -> list[Address]:
        """What is known after a moment."""
        if self._is_address:
            return self._found
        # A controller with many forks may have no thread left for now; the next question may get one.
        with contextlib.suppress(RuntimeError):
            if self._question is None or not self._question.is_alive():
                # A process does not wait for its daemon threads when it ends.
                self._question = threading.Thread(target=self._ask, daemon=True)
                self._question.start()
            self._question.join(LOOKUP_SECONDS)
        return self._found

    def _ask(self) -> None:
        with contextlib.suppress(OSError, UnicodeError):
            self._found = _resolve(self._host, self._port)


def _resolve(host: str, port: int, flags: int = 0) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _type, _proto, _name, address in found]


def _numeric(host: str, port: int) -> list[Address]:
    """What is an address already, empty for a name; nobody is asked for that."""
    with contextlib.suppress(OSError, UnicodeError):
        return _resolve(host, port, socket.AI_NUMERICHOST)
    return []


class BannerProber:
    """Connects and waits for the first bytes of an ssh server.

    An open port is not enough: a port forwarder in between accepts connections for a host that is
    down. OpenSSH counts connections that end without a login, so whoever gets an answer must stop
    asking and log in.
    """

    def __init__(self, host: str, port: int) -> None:
        self._lookup = Lookup(host, port)

    def answers(self) -> bool:
        """Connect once, to the first address that takes the connection."""
        for family, address in self._lookup.addresses():
            with contextlib.suppress(OSError), socket.socket(family) as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(address)
                return _greets(connection)
        return False


def _greets(connection: socket.socket) -> bool:
    """Whether an ssh server speaks first; one that hangs up or keeps silent is none."""
    connection.settimeout(BANNER_SECONDS)
    try:
        return connection.recv(len(BANNER)) == BANNER
    except OSError:
        return False


def endpoint(configuration: str) -> tuple[str, int] | None:
    """Where "ssh -G" says that a connection goes, None if it goes through a proxy."""
    options: dict[str, str] = {}
    for line in configuration.splitlines():
        name, _space, value = line.strip().partition(" ")
        options.setdefault(name.lower(), value)
    if any(options.get(name, "none") != "none" for name in ("proxycommand", "proxyjump")):
        return None
    host, port = options.get("hostname"), options.get("port", "22")
    if host and port.isdecimal() and int(port) in TCP_PORTS:
        return host, int(port)
    return None


def prober_for(configuration: str) -> BannerProber | None:
    """A prober for the connection that "ssh -G" describes, if it can be probed."""
    found = endpoint(configuration)
    return None if found is None else BannerProber(*found)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""Seeing that an ssh server answers, at a fraction of a login's cost."""

from __future__ import annotations

import socket

CONNECT_SECONDS = 0.5
BANNER_SECONDS = 1.5
BANNER = b"SSH-"


class BannerProber:
    """Connects and waits for the first bytes of an ssh server.

    An open port is not enough: a port forwarder in between accepts connections for a host that is
    down. OpenSSH counts connections that end without a login, so whoever gets an answer must stop
    asking and log in.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def answers(self) -> bool:
        """Connect once; the name is resolved each time because addresses may change."""
        try:
            with socket.create_connection((self._host, self._port), CONNECT_SECONDS) as connection:
                connection.settimeout(BANNER_SECONDS)
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
    return (host, int(port)) if host and port.isdigit() else None


def prober_for(configuration: str) -> BannerProber | None:
    """A prober for the connection that "ssh -G" describes, if it can be probed."""
    found = endpoint(configuration)
    return None if found is None else BannerProber(*found)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a scripted host, from its first byte on."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import typing as t

import asyncssh
from asyncssh.forward import SSHForwarder

from . import session

if t.TYPE_CHECKING:
    from .host import Host

VERSION = "OpenSSH_10.2"


def _is_of_this_machine(address: str) -> bool:
    """By its number only: what a name stands for may change until somebody connects."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class Server(asyncssh.SSHServer):
    """Who may log in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection.made(conn)

    def begin_auth(self, _username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, _username: str, key: asyncssh.SSHKey) -> bool:
        host = self._connection.host
        welcome = host.accepts_logins() and key.public_data == host.client_key
        self._connection.was_refused = not welcome
        return welcome

    def connection_requested(
        self, dest_host: str, dest_port: int, _orig_host: str, _orig_port: int
    ) -> t.Awaitable[asyncssh.SSHTCPSession[bytes]]:
        """Connect to another host for the client: to those of this machine only."""
        if not _is_of_this_machine(dest_host):
            prohibited = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            raise asyncssh.ChannelOpenError(prohibited, f"{dest_host} is no host of this machine")
        # The types of asyncssh call them sessions, although they are what it makes of these itself.
        forwarded: t.Any = self._connection.forward(dest_host, dest_port)
        return t.cast("t.Awaitable[asyncssh.SSHTCPSession[bytes]]", forwarded)

    def auth_completed(self) -> None:
        self._connection.authenticated()


class Connection:
    """One client."""

    def __init__(self, host: Host, accepted: socket.socket) -> None:
        self.host = host
        self.logged_in = False
        self.was_refused = False
        self.frozen = False
        self._ssh: asyncssh.SSHServerConnection | None = None
        # A second descriptor keeps the connection alive when the ssh server has let go of it.
        self._kept = accepted.dup()
        self._accepted = accepted

    async def serve(self) -> None:
        """Until the client leaves, or the host does."""
        try:
            with contextlib.suppress(asyncssh.Error, OSError, asyncio.TimeoutError):
                ssh = await asyncssh.run_server(self._accepted, options=self._options())
                await ssh.wait_closed()
        finally:
            if not self.frozen:
                self._kept.close()
            self.host.ended(self)

    def _options(self) -> asyncssh.SSHServerConnectionOptions:
        return asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: Server(self),
            server_host_keys=[self.host.server_key()],
            server_version=VERSION,
            process_factory=lambda process: session.serve(self, process),
            sftp_factory=lambda channel: session.files(self, channel),
            encoding=None,
            line_editor=False,
            login_timeout=120,
        )

    def made(self, ssh: asyncssh.SSHServerConnection) -> None:
        self._ssh = ssh

    async def forward(self, address: str, port: int) -> SSHForwarder:
        """Connect the client with another host, if it still waits when that one answers."""
        if self._ssh is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "nobody is connected")
        session = await self._ssh.forward_connection(address, port)
        if self._ssh.is_closed():
            session.close()
        return session

    def authenticated(self) -> None:
        self.logged_in = True
        self.host.journal.note("login")

    def close(self) -> None:
        if self._ssh is not None:
            self._ssh.close()

    def abort(self) -> None:
        if self._ssh is not None:
            self._ssh.abort()

    def freeze(self) -> socket.socket:
        """Take the connection away from its ssh server, and return it as it is."""
        self.frozen = True
        self.abort()
        return self._kept

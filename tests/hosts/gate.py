# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The port of a scripted host: open, refusing or silent; and connections that nobody answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
import typing as t

from . import retransmission

BACKLOG = 128
# Closing with this option on sends a reset.
RESET = struct.pack("ii", 1, 0)

Accept = t.Callable[[socket.socket], None]


def reset(connection: socket.socket) -> None:
    """End a connection as a system does that knows nothing of it."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


class Gate:
    """Used on the thread of the event loop only."""

    def __init__(self, address: str, port: int, accept: Accept) -> None:
        self.address = address
        self._port = port
        self._accept = accept
        self._listener: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        # Each with the time at which something came that is never read; 0 if nothing did.
        self._frozen: dict[socket.socket, float] = {}

    def open(self) -> None:
        """Answer; whoever speaks on a connection to the system before learns that it is gone."""
        if self._listener is None:
            self._listener = self._listen(BACKLOG)
        else:
            self._drain(self._listener)
        asyncio.get_running_loop().add_reader(self._listener, self._take)
        for connection, spoken in self._frozen.items():
            self._reset_when_spoken_to(connection, spoken)

    def refuse(self) -> None:
        """Connections are refused."""
        if self._listener is None:
            return
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._listener = None

    def ignore(self) -> None:
        """Attempts to connect get no answer: Linux drops them while the queue is full."""
        self.refuse()
        self._listener = self._listen(0)
        filler = socket.socket(self._family)
        filler.connect((self.address, self._port))
        self._fillers.append(filler)

    def freeze(self, connection: socket.socket) -> None:
        """Keep a connection as it is: nothing is read from it or written to it."""
        self._frozen[connection] = 0.0
        asyncio.get_running_loop().add_reader(connection, self._note_spoken, connection)

    def _note_spoken(self, connection: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(connection)
        self._frozen[connection] = time.monotonic()

    def close(self) -> None:
        self.refuse()
        for filler in self._fillers:
            filler.close()
        for connection in self._frozen:
            asyncio.get_running_loop().remove_reader(connection)
            reset(connection)
        self._frozen.clear()

    @property
    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    def _listen(self, backlog: int) -> socket.socket:
        listener = socket.socket(self._family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address, self._port))
            listener.listen(backlog)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener

    def _drain(self, listener: socket.socket) -> None:
        listener.listen(BACKLOG)
        while self._fillers:
            self._fillers.pop().close()
            with contextlib.suppress(BlockingIOError):
                reset(listener.accept()[0])

    def _take(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            self._accept(self._listener.accept()[0])

    def _reset_when_spoken_to(self, connection: socket.socket, spoken: float) -> None:
        """A new system is silent until a segment of a connection that it does not know arrives.

        What was sent while there was none is sent again, and not at once.
        """
        loop = asyncio.get_running_loop()
        if spoken:
            now = time.monotonic()
            delay = retransmission.next_after(spoken, now) - now
            loop.call_later(delay, self._reset, connection)
        else:
            loop.add_reader(connection, self._reset, connection)

    def _reset(self, connection: socket.socket) -> None:
        # The gate may have been closed meanwhile.
        if self._frozen.pop(connection, None) is not None:
            asyncio.get_running_loop().remove_reader(connection)
            reset(connection)

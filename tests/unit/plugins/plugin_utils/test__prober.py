# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe believes an ssh server's first words only; `ssh -G` says where to knock."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils import _prober
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._prober import BannerProber

LOCAL = "127.0.0.1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is far away."""
    monkeypatch.setattr(_prober, "BANNER_SECONDS", 0.1)


@contextlib.contextmanager
def server(greeting: bytes | None) -> t.Iterator[int]:
    """A server for one client that greets; None accepts and keeps silent."""
    done = threading.Event()
    with socket.create_server((LOCAL, 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                if greeting is None:
                    done.wait(5)
                else:
                    connection.sendall(greeting)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(5)


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_10.0\r\n", True, id="ssh server"),
        pytest.param(b"220 mail ESMTP\r\n", False, id="another server"),
        pytest.param(b"", False, id="hangs up"),
        pytest.param(None, False, id="accepts and keeps silent"),
    ],
)
def test_answers(greeting: bytes | None, expected: bool) -> None:
    with server(greeting) as port:
        assert BannerProber(LOCAL, port).answers() is expected


def test_answers_of_a_closed_port() -> None:
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    assert BannerProber(LOCAL, port).answers() is False


def test_answers_of_an_address_that_is_none() -> None:
    assert BannerProber("fe80::1%nowhere", 22).answers() is False


GENERAL = "user ada\nhostname 192.0.2.7\nport 2222\naddressfamily any\n"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        pytest.param(GENERAL, ("192.0.2.7", 2222), id="straight"),
        pytest.param(GENERAL.replace("\n", "\r\n"), ("192.0.2.7", 2222), id="line ends"),
        pytest.param(GENERAL.upper(), ("192.0.2.7", 2222), id="capitals"),
        pytest.param("hostname 2001:db8::7\nport 22", ("2001:db8::7", 22), id="address of v6"),
        pytest.param("hostname web1", ("web1", 22), id="no port"),
        pytest.param(f"{GENERAL}hostname later", ("192.0.2.7", 2222), id="the first counts"),
        pytest.param(f"{GENERAL}proxycommand none\nproxyjump none", ("192.0.2.7", 2222), id="none"),
        pytest.param(f"{GENERAL}proxyjump bastion", None, id="jump host"),
        pytest.param(f"{GENERAL}proxycommand nc %h %p", None, id="proxy command"),
        pytest.param("", None, id="nothing"),
        pytest.param("port 22", None, id="no host"),
        pytest.param("hostname", None, id="empty host"),
        pytest.param("hostname web1\nport ssh", None, id="port that is no number"),
    ],
)
def test_endpoint(configuration: str, expected: tuple[str, int] | None) -> None:
    assert _prober.endpoint(configuration) == expected


def test_prober_for_a_straight_connection_knocks_there() -> None:
    with server(b"SSH-2.0-x\r\n") as port:
        prober = _prober.prober_for(f"hostname {LOCAL}\nport {port}\n")
        assert prober is not None
        assert prober.answers()


def test_prober_for_a_proxy_is_none() -> None:
    assert _prober.prober_for(f"{GENERAL}proxyjump bastion") is None

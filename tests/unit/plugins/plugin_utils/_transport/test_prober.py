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
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import (
    prober as prober_module,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.limit import limit
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport.prober import (
    BannerProber,
)

LOCAL = "127.0.0.1"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers at all gets the time that a busy machine needs."""
    for name in ("LOOKUP_SECONDS", "CONNECT_SECONDS", "BANNER_SECONDS"):
        monkeypatch.setattr(prober_module, name, 60.0)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server answers."""
    monkeypatch.setattr(prober_module, "LOOKUP_SECONDS", 0.05)


@contextlib.contextmanager
def server(greeting: bytes | None) -> t.Iterator[int]:
    """A server for one client that greets; None accepts and keeps silent."""
    done = threading.Event()
    with socket.create_server((LOCAL, 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                if greeting is None:
                    done.wait(60)
                else:
                    connection.sendall(greeting)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join()


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_10.0\r\n", True, id="ssh server"),
        pytest.param(b"220 mail ESMTP\r\n", False, id="another server"),
        pytest.param(b"", False, id="hangs up"),
        pytest.param(None, False, id="accepts and keeps silent"),
    ],
)
def test_answers(monkeypatch: pytest.MonkeyPatch, greeting: bytes | None, expected: bool) -> None:
    if greeting is None:
        monkeypatch.setattr(prober_module, "BANNER_SECONDS", 0.05)
    with server(greeting) as port:
        assert BannerProber(LOCAL, port).answers() is expected


def test_answers_of_a_closed_port() -> None:
    # It is taken, so that nobody else listens there, and refuses.
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        assert BannerProber(LOCAL, taken.getsockname()[1]).answers() is False


def test_answers_of_an_address_that_is_none() -> None:
    assert BannerProber("fe80::1%nowhere", 22).answers() is False


@contextlib.contextmanager
def names(monkeypatch: pytest.MonkeyPatch, answers: list[t.Any]) -> t.Iterator[threading.Event]:
    """A resolver with these answers, the last one again and again; None is one that hangs."""
    answered = threading.Event()

    def look_up(*question: t.Any, **options: t.Any) -> t.Any:
        if options["flags"] == socket.AI_NUMERICHOST:
            return LOOK_UP(*question, **options)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            answered.wait(30)
            raise socket.gaierror("Temporary failure in name resolution")
        return LOOK_UP(answer, *question[1:], **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield answered
    answered.set()


LOOK_UP = socket.getaddrinfo


@pytest.mark.usefixtures("impatient")
def test_name_server_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # Unlike this one, a real question cannot be interrupted.
    with names(monkeypatch, [None]), limit(10):
        prober = BannerProber("web1.example", 22)
        assert [prober.answers(), prober.answers()] == [False, False]


def test_last_answer_counts_while_the_name_server_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with server(b"SSH-2.0-x\r\n") as port, names(monkeypatch, [LOCAL, None]):
        prober = BannerProber("web1.example", port)
        prober._lookup.addresses()
        monkeypatch.setattr(prober_module, "LOOKUP_SECONDS", 0.05)
        assert prober.answers() is True


def test_name_is_looked_up_again_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(b"SSH-2.0-x\r\n") as port, names(monkeypatch, ["127.0.0.2", LOCAL]):
        prober = BannerProber("web1.example", port)
        assert [prober.answers(), prober.answers()] == [False, True]


def test_controller_without_a_thread_for_the_question_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with server(b"SSH-2.0-x\r\n") as port:
        prober = BannerProber("localhost", port)
        monkeypatch.setattr(threading.Thread, "start", none_left)
        assert prober.answers() is False
        monkeypatch.setattr(threading.Thread, "start", start)
        assert prober.answers() is True


def test_controller_without_a_descriptor_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_arguments: t.Any) -> socket.socket:
        raise OSError(24, "Too many open files")

    prober = BannerProber(LOCAL, 22)
    prober._lookup.addresses()
    monkeypatch.setattr(socket, "socket", none_left)
    assert prober.answers() is False


@pytest.mark.parametrize("address", [LOCAL, "::1"])
def test_address_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def never(_thread: threading.Thread) -> None:
        raise AssertionError("a thread was started for an address")

    monkeypatch.setattr(threading.Thread, "start", never)
    lookup = prober_module.Lookup(address, 22)
    assert [found[0] for _family, found in lookup.addresses()] == [address]


@pytest.mark.usefixtures("impatient")
def test_one_question_is_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[threading.Thread] = []

    def look_up(*question: t.Any, **options: t.Any) -> t.Any:
        if options["flags"] == socket.AI_NUMERICHOST:
            return LOOK_UP(*question, **options)
        asked.append(threading.current_thread())
        begun.set()
        done.wait(30)
        return []

    begun, done = threading.Event(), threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    lookup = prober_module.Lookup("web1.example", 22)
    assert [lookup.addresses() for _each in range(3)] == [[], [], []]
    assert begun.wait(30)
    assert len(asked) == 1
    done.set()


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
        pytest.param("hostname web1\nport \N{SUPERSCRIPT TWO}", None, id="port of other digits"),
        pytest.param("hostname web1\nport 65536", None, id="port that there is not"),
    ],
)
def test_endpoint(configuration: str, expected: tuple[str, int] | None) -> None:
    assert prober_module.endpoint(configuration) == expected


def test_prober_for_a_straight_connection_knocks_there() -> None:
    with server(b"SSH-2.0-x\r\n") as port:
        prober = prober_module.prober_for(f"hostname {LOCAL}\nport {port}\n")
        assert prober is not None
        assert prober.answers()


def test_prober_for_a_proxy_is_none() -> None:
    assert prober_module.prober_for(f"{GENERAL}proxyjump bastion") is None

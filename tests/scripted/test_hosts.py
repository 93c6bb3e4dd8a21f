# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripted hosts are like for a client: the other tests are worth no more than that."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import typing as t

import pytest

from tests.hosts import Host, Hosts, Penalties, Script
from tests.hosts.script import Vanish

SECONDS = 5.0
SHORT = 0.3


@pytest.fixture
def hosts() -> t.Iterator[Hosts]:
    with Hosts() as hosts:
        yield hosts


def connect(host: Host, seconds: float = SECONDS) -> socket.socket:
    return socket.create_connection((host.address, host.port), seconds)


def ssh(
    hosts: Hosts, *command: str, options: t.Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    ours = ["-F", f"{hosts.folder}/ssh_config", "-o", "BatchMode=yes"]
    return subprocess.run(
        ["ssh", *ours, *options, "root@web1", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def go_down(hosts: Hosts, host: Host) -> None:
    assert ssh(hosts, "reboot").returncode == 0
    host.journal.wait_for("down")


def says_nothing(connection: socket.socket) -> bool:
    connection.settimeout(SHORT)
    try:
        return connection.recv(1000) == b"never"
    except TimeoutError:
        return True


def test_port_of_a_host_that_is_down_refuses(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(port="refused", downtime=2.0))
    go_down(hosts, host)
    with pytest.raises(ConnectionRefusedError):
        connect(host)


def test_port_of_a_host_that_is_down_is_silent(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(port="ignored", downtime=2.0))
    go_down(hosts, host)
    for _each in range(3):
        with pytest.raises(TimeoutError):
            connect(host, SHORT)
    host.journal.wait_for("up")
    with connect(host) as connection:
        assert connection.recv(4) == b"SSH-"


def test_connection_to_a_host_that_was_cut_is_silent_until_somebody_speaks(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(vanish="cut", downtime=1.0))
    with connect(host) as connection:
        assert connection.recv(4) == b"SSH-"
        go_down(hosts, host)
        connection.settimeout(SHORT)
        with contextlib.suppress(TimeoutError):
            while connection.recv(1000):
                pass
        assert says_nothing(connection)
        host.journal.wait_for("up")
        assert says_nothing(connection)
        connection.sendall(b"SSH-2.0-somebody\r\n")
        connection.settimeout(SECONDS)
        with pytest.raises(ConnectionResetError):
            connection.recv(1000)


def test_connection_to_a_host_that_leaves_orderly_is_closed(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(vanish="orderly"))
    with connect(host) as connection:
        go_down(hosts, host)
        connection.settimeout(SECONDS)
        said = b""
        while chunk := connection.recv(1000):
            said += chunk
        assert said.startswith(b"SSH-")


@pytest.mark.parametrize("vanish", t.get_args(Vanish))
def test_host_answers_with_another_boot(hosts: Hosts, vanish: Vanish) -> None:
    host = hosts.add("web1", Script(vanish=vanish))
    question = ("cat", "/proc/sys/kernel/random/boot_id")
    before = ssh(hosts, *question).stdout.strip()
    go_down(hosts, host)
    assert host.journal.wait_for("up").time == host.answered_at
    after = ssh(hosts, *question).stdout.strip()
    assert before != after == host.boot.boot_id


def test_connections_without_a_login_are_counted_and_penalised(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(penalties=Penalties(enforced_from=2.5)))
    for _each in range(3):
        connect(host).close()
    assert host.journal.wait_until(lambda: host.journal.count("unauthenticated") == 3)
    with connect(host) as connection:
        assert connection.recv(1000) == b"Not allowed at this time\r\n"
    assert host.journal.count("penalised") == 1
    assert ssh(hosts, "true").returncode == 255


def test_login_with_another_key_is_refused(hosts: Hosts) -> None:
    host = hosts.add("web1", Script(refuses_logins_for=1000.0))
    assert ssh(hosts, "true").returncode == 0
    go_down(hosts, host)
    host.journal.wait_for("up")
    refused = ssh(hosts, "true")
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr


def test_command_that_is_not_scripted_is_not_run(hosts: Hosts) -> None:
    hosts.add("web1")
    marker = hosts.folder / "marker"
    assert ssh(hosts, f"touch {marker}").returncode == 127
    assert not marker.exists()


@pytest.mark.parametrize("place", ["192.0.2.1:22", "web2.example:22"])
def test_jump_host_leads_to_this_machine_only(hosts: Hosts, place: str) -> None:
    hosts.add("web1")
    answer = ssh(hosts, options=("-W", place))
    assert answer.returncode != 0
    assert "administratively prohibited" in answer.stderr

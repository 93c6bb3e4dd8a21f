# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to reach a host, and users who reach it."""

from __future__ import annotations

import importlib.util
import typing as t

import pytest

from tests.hosts import Fault, Script
from tests.hosts.script import Port

from .site import Site, proven

PASSWORD = "correct horse"


# The jump host's own attempts are answered late where the port was silent, and nobody needs them.
@pytest.mark.parametrize(("port", "given_up"), [("refused", 0), ("ignored", 4)])
def test_host_behind_a_jump_host(site: Site, port: Port, given_up: int) -> None:
    host, jump = site.host(Script(port=port, downtime=3.0)), site.hosts.add("jump")
    site.variables["ansible_ssh_extra_args"] = "-J root@jump"
    assert proven(site.reboot("--limit=web1"), host)
    assert jump.journal.count("login") > 0
    assert host.journal.count("unauthenticated") <= given_up


def test_host_behind_a_command(site: Site) -> None:
    host, jump = site.host(), site.hosts.add("jump")
    command = f"ssh -F {site.hosts.folder}/ssh_config -W [%h]:%p root@jump"
    site.variables["ansible_ssh_extra_args"] = f'-o ProxyCommand="{command}"'
    assert proven(site.reboot("--limit=web1"), host)
    assert jump.journal.count("login") > 0
    assert host.journal.count("unauthenticated") == 0


def test_host_at_an_address_of_ipv6(site: Site) -> None:
    host = site.host(address="::1")
    site.variables |= {"ansible_host": "::1", "ansible_port": host.port}
    site.variables["ansible_ssh_extra_args"] = "-o HostKeyAlias=web1"
    assert proven(site.reboot(), host)


def test_host_that_comes_back_at_another_address(site: Site) -> None:
    host = site.host(Script(moves_to="127.251.7.1"))
    assert proven(site.reboot(), host)
    assert host.address == "127.251.7.1"


@pytest.mark.skipif(
    importlib.util.find_spec("ansible.plugins.connection.paramiko_ssh") is None,
    reason="this ansible-core has no connection paramiko_ssh",
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="whole"),
        pytest.param(Fault("ordered"), id="order taken"),
        pytest.param(Fault("observe", times=3), id="shutdown"),
        pytest.param(Fault("observe", boot=1), id="new system"),
        pytest.param(Fault("test", boot=1), id="test command"),
    ],
)
def test_host_behind_another_client(site: Site, fault: Fault | None) -> None:
    host = site.host(Script(faults=() if fault is None else (fault,)))
    site.deprecated = ("paramiko",)
    site.variables |= {
        **site.hosts.direct(host),
        "ansible_connection": "ansible.builtin.paramiko_ssh",
        "ansible_host_key_checking": False,
    }
    assert proven(site.reboot(), host)


@pytest.mark.parametrize("greeting", ["Welcome! ", "\x1b]0;web1\x07"], ids=["words", "title"])
def test_host_whose_logins_greet_without_a_newline(site: Site, greeting: str) -> None:
    host = site.host(Script(greeting=greeting))
    assert proven(site.reboot(), host)
    assert host.journal.count("order") == 1


# --- Users ---------------------------------------------------------------------------------

DOAS = "community.general.doas"


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["free", "password"])
@pytest.mark.parametrize("tool", ["sudo", DOAS])
def test_user_who_becomes_root(
    site: Site, tool: str, password: str | None, *, pipelining: bool
) -> None:
    host = site.host(Script(password=password))
    site.variables |= {
        "ansible_user": "admin",
        "ansible_become": True,
        "ansible_become_method": tool,
        "ansible_pipelining": pipelining,
    }
    if password is not None:
        site.variables["ansible_become_password"] = password
    assert proven(site.reboot(), host)
    ours = ("leave", "observe.sh", "whoami")
    commands = [event for event in host.journal.find("command") if event.text in ours]
    assert {event.text for event in commands} == set(ours)
    assert all(event.as_root for event in commands)


def test_wrong_password_is_a_failure_before_anything_was_ordered(site: Site) -> None:
    host = site.host(Script(password=PASSWORD))
    site.variables |= {"ansible_user": "admin", "ansible_become": True}
    site.variables["ansible_become_password"] = "wrong"
    run: t.Any = site.reboot()
    assert run.status != "ok"
    assert not host.journal.find("order")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import observation
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Questions
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import Departure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import commands
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.bench import fleet_hosts
from tests.bench.fleet_hosts import Fleet, Host

BOOT = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
NEXT = "c0ffee00-6f5c-4a0e-9f0d-6a1f0f3c9a77"


@pytest.mark.parametrize(
    ("now", "answers"),
    [
        pytest.param(9.0, True, id="before"),
        pytest.param(10.0, False, id="down"),
        pytest.param(29.9, False, id="still down"),
        pytest.param(30.0, True, id="back"),
    ],
)
def test_a_host_answers_unless_it_is_down(now: float, answers: bool) -> None:
    assert Host(BOOT, NEXT, "t", "m", 10.0, 30.0).answers_at(now) is answers


def test_a_host_without_an_order_answers() -> None:
    assert Host(BOOT).answers_at(5.0)
    assert not Host(BOOT).rebooted


@pytest.mark.parametrize("host", [Host(BOOT), Host(BOOT, NEXT, "t", "m", 10.25, 30.25)])
def test_a_host_is_read_as_it_was_written(host: Host) -> None:
    assert fleet_hosts.parse(fleet_hosts.write(host)) == host


def test_each_host_has_an_address_of_its_own() -> None:
    assert len({fleet_hosts.address(number) for number in range(1000)}) == 1000


# --- The client, as Ansible calls it -------------------------------------------------------


class Client:
    """A fleet of one host that is down for an hour once it is told to reboot."""

    def __init__(self, folder: Path) -> None:
        self.fleet = Fleet(folder, 1, 3600.0)
        (self.name,) = self.fleet.hosts()
        self._program = shell_runner.copy(fleet_hosts.CLIENT, folder)

    def run(self, *words: str, sent: str = "") -> subprocess.CompletedProcess[str]:
        options = ["-C", "-o", "ControlMaster=auto", "-o", "User=root"]
        done = subprocess.run(
            [str(self._program), *options, *words],
            input=sent,
            env={**self.fleet.environment(2222), "ALPINEFLEET_SHUTDOWN": "-60"},
            capture_output=True,
            text=True,
            check=False,
        )
        shell_runner.keep(self._program.parent)
        return done

    def ask(self, command: str, sent: str = "") -> subprocess.CompletedProcess[str]:
        return self.run("-tt", self.name, f"/bin/sh -c '{command} && sleep 0'", sent=sent)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def program(module: str) -> str:
    """What Ansible sends to run a module, as far as the client looks at it."""
    return f"import x\nmodule_fqn='ansible.modules.{module}',\nzip_data='{'A' * 200_000}',\n"


def test_client_tells_where_a_connection_goes(client: Client) -> None:
    assert client.run("-G", client.name).stdout == f"hostname {client.name}\nport 2222\n"


@pytest.mark.parametrize("module", ["kexec_load", "setup", "find"])
def test_client_answers_modules(client: Client, module: str) -> None:
    answer = client.ask("/usr/bin/python3", program(module))
    assert '"changed":' in answer.stdout
    assert "@" not in answer.stdout


def test_client_tells_the_boot_until_the_host_is_down(client: Client) -> None:
    boot_id = client.fleet.host(client.name).boot_id
    assert client.ask("cat /proc/sys/kernel/random/boot_id").stdout == f"{boot_id}\n"
    assert client.ask("/sbin/reboot ").returncode == 0
    refused = client.ask("cat /proc/sys/kernel/random/boot_id")
    assert (refused.returncode, refused.stdout) == (255, "")
    assert "Connection refused" in refused.stderr
    assert client.fleet.host(client.name).rebooted


def test_client_takes_the_order_and_answers_the_questions_of_the_collection(
    client: Client,
) -> None:
    boot_id = client.fleet.host(client.name).boot_id
    departure = Departure("kexec", "t0ken", boot_id, 0.5, 120.0, 1020, "m4rk")
    wrapped = shlex.join(["/bin/sh", "-c", f"{commands.leave(departure)} && sleep 0"])
    assert client.run("-tt", client.name, wrapped).stdout.split() == ["m4rk"]
    before, after = client.fleet.host(client.name), Host(BOOT, NEXT, "t0ken", "m4rk", 0.01, 0.02)
    assert (before.token, before.mark, before.rebooted) == ("t0ken", "m4rk", True)
    path = client.fleet.inventory.parent / "hosts" / client.name
    path.write_text(fleet_hosts.write(after))
    asked = client.ask(commands.observe("n0nce").replace("'", ""))
    found = observation.parse(asked.stdout, "n0nce")
    assert found is not None
    assert (found.boot_id, found.method("t0ken")) == (NEXT, "kexec")
    assert (found.leaver, found.hardware_id) == ("m4rk", None)
    confirmed = client.ask(commands.confirm("t0ken", NEXT, "m4rk").replace("'", ""))
    assert confirmed.stdout.split() == ["t0ken"]


def test_client_remembers_nothing_and_is_well(client: Client) -> None:
    words = shlex.join(
        ["/bin/sh", "-c", f"{commands.memory('take', 'a', '', 'm', 'n0nce')} && sleep 0"]
    )
    asked = client.ask(words)
    assert asked.stdout == "\nBEGIN n0nce\n\nEND n0nce\n"
    kept = client.ask(commands.memory("keep", "a", "down\nnote", "m", "n0nce"))
    assert kept.stdout == asked.stdout
    questions = Questions(services=True, ports=False, commands=())
    examined = client.ask(commands.examine(questions, "boot", "m", "n0nce", 5).replace("'", ""))
    assert "service sshd =  started" in examined.stdout
    assert examined.stdout.endswith("END n0nce\n")


def test_client_tells_of_no_service_that_it_was_not_asked_for(client: Client) -> None:
    questions = Questions(services=False, ports=False, commands=())
    examined = client.ask(commands.examine(questions, "boot", "m", "n0nce", 5).replace("'", ""))
    assert examined.stdout == "\nBEGIN n0nce\nEND n0nce\n"


@pytest.mark.parametrize("mode", ["check", "stop", "exit"])
def test_client_has_no_connection_that_is_kept(client: Client, mode: str) -> None:
    done = client.run("-O", mode, client.name)
    assert (done.returncode, done.stdout) == (0, "")


def test_client_says_who_it_is(client: Client) -> None:
    assert client.ask("whoami").stdout == "root\n"


def test_client_knows_no_other_host(client: Client) -> None:
    done = client.run("-tt", "nobody", "whoami")
    assert done.returncode == 255
    assert "Could not resolve hostname nobody" in done.stderr


def test_client_keeps_the_name_of_a_module_that_it_does_not_know(client: Client) -> None:
    assert client.ask("/usr/bin/python3", program("ping")).returncode == 1
    assert client.fleet.unknown() == "module module_fqn='ansible.modules.ping\n"


def test_client_keeps_what_it_does_not_understand(client: Client) -> None:
    assert client.fleet.unknown() == ""
    assert client.ask("rm -rf /").returncode == 1
    assert "rm -rf /" in client.fleet.unknown()

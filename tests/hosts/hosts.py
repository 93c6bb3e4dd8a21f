# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripted hosts on this machine, each behind an ssh server of its own, in one thread."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import tempfile
import threading
import typing as t
from pathlib import Path

import asyncssh

from .host import Host
from .script import Script

# Below the ports that Linux gives to clients: none of those takes a host's while it is down.
PORTS = range(20_000, 32_000)
START_SECONDS = 10.0
TRIES = 20


class Hosts:
    """A context: at its end all hosts are gone, and what is connected to them is told."""

    def __init__(self) -> None:
        # A path of a control socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="hosts-"))
        self._hosts: dict[str, Host] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hosts", daemon=True)
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")

    def __enter__(self) -> t.Self:
        key = self.folder / "key"
        self._client_key.write_private_key(str(key))
        key.chmod(0o600)
        self._configure()
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)
        self._loop.close()
        # A client that ends now removes its socket itself.
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, name: str, script: Script | None = None, *, address: str | None = None) -> Host:
        """Start a host; by default on an address of its own in 127.0.0.0/8."""
        folder = self.folder / name
        folder.mkdir()
        for _try in range(TRIES):
            place = address or f"127.{random.randint(2, 250)}.{random.randint(1, 250)}.1"
            host = Host(name, place, random.choice(PORTS), folder, self._client_key.public_data)
            host.script = script or Script()
            try:
                self._call(self._start(host))
            except OSError:
                continue
            self._hosts[name] = host
            host.came_up = self._configure
            self._configure()
            self.learn_keys()
            return host
        raise OSError(f"no free port was found for {name}")

    def learn_keys(self) -> None:
        """Know each host by the key that it has now."""
        lines = [f"{host.name} {host.public_key}\n" for host in self._hosts.values()]
        (self.folder / "known_hosts").write_text("".join(lines), encoding="utf-8")

    def inventory(self, **variables: t.Any) -> Path:
        """An inventory of all hosts; variables are for each of them."""
        hosts = {name: {**self.variables(host), **variables} for name, host in self._hosts.items()}
        content = {"all": {"hosts": hosts}}
        path = self.folder / "inventory.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def variables(self, host: Host) -> dict[str, t.Any]:
        """How Ansible reaches a host, whatever the user's own configuration says."""
        return {
            "ansible_host": host.name,
            "ansible_user": "root",
            "ansible_ssh_common_args": f"-F {self.folder / 'ssh_config'}",
            "ansible_control_path_dir": str(self.folder / "cp"),
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    def direct(self, host: Host) -> dict[str, t.Any]:
        """The same, for a client that does not read the configuration of ssh."""
        return {
            "ansible_host": host.address,
            "ansible_port": host.port,
            "ansible_private_key_file": str(self.folder / "key"),
        }

    def _configure(self, _changed: Host | None = None) -> None:
        """Tell ssh where the hosts are now; whoever reads it sees all of it or nothing."""
        places = [
            f"Host {host.name}\n  HostName {host.address}\n  Port {host.port}\n"
            f"  HostKeyAlias {host.name}\n"
            for host in self._hosts.values()
        ]
        options = {
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": self.folder / "key",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": os.devnull,
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
        }
        common = [f"  {name} {value}\n" for name, value in options.items()]
        draft = self.folder / "ssh_config.new"
        draft.write_text("".join([*places, "Host *\n", *common]), encoding="utf-8")
        draft.rename(self.folder / "ssh_config")

    def _call(self, work: t.Coroutine[t.Any, t.Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    async def _start(self, host: Host) -> None:
        host.power_on()

    async def _stop(self) -> None:
        await asyncio.gather(*(host.power_off() for host in self._hosts.values()))
        # What was cancelled needs a turn of the loop to end.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=5)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripted hosts, and plays on them."""

from __future__ import annotations

import contextlib
import json
import signal
import time
import typing as t
from pathlib import Path

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import (
    RECENT_SECONDS,
)

from tests.hosts import Host, Hosts, Script
from tests.plays import PlayRun, TaskResult, interrupt_playbook, kill_playbook, run_playbook
from tests.plays.run import ROOT

# Longer than an answer of the old system counts as one of now: then the host is lost for certain,
# whatever the deadline cuts off.
LOST_SECONDS = RECENT_SECONDS + 5
# No play here takes half as long: one that hangs is ended, and its test fails.
PLAY_SECONDS = 90.0

Values = dict[str, t.Any]


class Site:
    """The hosts of one test."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        # How Ansible reaches the hosts, where that is not the usual way.
        self.variables: Values = {"ansible_pipelining": True}
        # Words of what ansible-core says if that way is one that a later one does not have.
        self.deprecated: tuple[str, ...] = ()

    def host(self, script: Script | None = None, **options: t.Any) -> Host:
        return self.hosts.add("web1", script, **options)

    def reboot(self, *options: str, **arguments: t.Any) -> TaskResult:
        """One task with kexec_reboot; options are those of ansible-playbook."""
        return self.play([reboot(**arguments)], *options).task("Reboot")

    def play(self, tasks: list[Values], *options: str, **keywords: t.Any) -> PlayRun:
        return self.plays({"tasks": tasks, **keywords}, options=options)

    def plays(self, *plays: Values, options: t.Sequence[str] = ()) -> PlayRun:
        playbook, inventory = self._files(plays)
        return run_playbook(
            playbook, inventory, *options, timeout=PLAY_SECONDS, deprecated=self.deprecated
        )

    def playbook(self, name: str, *options: str, **variables: t.Any) -> PlayRun:
        """A playbook of the collection on these hosts."""
        _own, inventory = self._files([])
        return run_playbook(
            ROOT / f"playbooks/{name}.yml",
            inventory,
            *options,
            variables=variables,
            timeout=PLAY_SECONDS,
        )

    def playbooks(self, *playbooks: tuple[str, Values], options: t.Sequence[str] = ()) -> PlayRun:
        """Playbooks of the collection in one run, each with its variables."""
        playbook, inventory = self._files([])
        content = [
            {"import_playbook": str(ROOT / f"playbooks/{name}.yml"), "vars": variables}
            for name, variables in playbooks
        ]
        playbook.write_text(json.dumps(content), encoding="utf-8")
        return run_playbook(playbook, inventory, *options, timeout=PLAY_SECONDS)

    def fast_reboot(self, *options: str, **variables: t.Any) -> PlayRun:
        """The role, with a hook that takes the host out of work, and a task for the others."""
        return self.play([self._role(variables), raw("Next")], *options)

    def entry_point(self, name: str, *options: str, **variables: t.Any) -> PlayRun:
        """Another entry point of the role, with the same hook."""
        role = self._role(variables)
        role["ansible.builtin.include_role"]["tasks_from"] = name
        return self.play([role], *options)

    def kill_fast_reboot(self, moment: t.Callable[[], object], **variables: t.Any) -> None:
        """Run the role, and kill the controller when a call returns."""
        playbook, inventory = self._files([{"tasks": [self._role(variables)]}])
        kill_playbook(playbook, inventory, moment=moment)

    def interrupt_fast_reboot(self, task: int, by: signal.Signals, **variables: t.Any) -> bool:
        """Run the role, and end it when its n-th task begins; whether it came so far."""
        playbook, inventory = self._files([{"tasks": [self._role(variables)]}])
        return interrupt_playbook(playbook, inventory, task=task, by=by)

    def _role(self, variables: Values) -> Values:
        hook = {"name": "work"}
        for name in ("drain", "undrain"):
            task = {"name": name, "ansible.builtin.debug": {"msg": name}, "changed_when": True}
            path = self.hosts.folder / f"{name}.json"
            path.write_text(json.dumps([task]), encoding="utf-8")
            hook[name] = str(path)
        return {
            "name": "Reboot",
            "ansible.builtin.include_role": {"name": "alpinefleet.kexec.fast_reboot"},
            "vars": {"fast_reboot_hooks": [hook], "fast_reboot_timeout": 40, **variables},
        }

    def clients(self) -> list[str]:
        """The ssh clients that run for these hosts, each with its arguments."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                # A connection that is shared has its socket for a name.
                is_ssh = command.startswith(("ssh ", "ssh: "))
                found += [command] if is_ssh and str(self.hosts.folder) in command else []
        return found

    def kill_reboot(self, moment: t.Callable[[], object], **arguments: t.Any) -> None:
        """Run the same task, and kill the controller when a call returns."""
        playbook, inventory = self._files([{"tasks": [reboot(**arguments)]}])
        kill_playbook(playbook, inventory, moment=moment)

    def _files(self, plays: t.Iterable[Values]) -> tuple[Path, Path]:
        content = [{"hosts": "all", "gather_facts": False, **play} for play in plays]
        playbook = self.hosts.folder / "playbook.json"
        playbook.write_text(json.dumps(content), encoding="utf-8")
        return playbook, self.hosts.inventory(**self.variables)


def reboot(**arguments: t.Any) -> Values:
    return {
        "name": "Reboot",
        "alpinefleet.kexec.kexec_reboot": {"reboot_timeout": 40, "connect_timeout": 1, **arguments},
    }


def raw(name: str, command: str = "true") -> Values:
    """A task that needs nothing but a connection."""
    return {"name": name, "ansible.builtin.raw": command}


def outcome(task: TaskResult) -> tuple[t.Any, ...]:
    """What a task that failed says of it: code and stage of the reason, and of the host."""
    result = task.result
    return (
        task.status,
        result.get("reason", {}).get("code"),
        result.get("stage"),
        result.get("rebooted"),
    )


def failed(code: str, stage: str, *, rebooted: bool | None) -> tuple[t.Any, ...]:
    return ("failed", code, stage, rebooted)


def proven(task: TaskResult, host: Host, method: str = "kexec") -> bool:
    """Whether the task says rightly that the host runs its next boot, and how it came there."""
    result = task.result
    said = (task.status, result.get("rebooted"), result.get("method"))
    after = result.get("boot_id", {}).get("after")
    return said == ("ok", True, method) and after == host.boot.boot_id and host.boot.number == 1


def quiet(host: Host, seconds: float) -> bool:
    """Whether nobody connects to a host for so long."""
    before = host.journal.count("connection")
    time.sleep(seconds)
    return host.journal.count("connection") == before

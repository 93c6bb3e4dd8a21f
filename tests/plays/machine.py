# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host of a scenario: what it is in, and what is done to it."""

from __future__ import annotations

import json
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import testinfra

from .run import PlayRun, TaskResult, kill_playbook, run_playbook

# What a boot, its end or a login may write: logs, seeds of random numbers, what services keep.
VOLATILE = (
    "/run/openrc",
    "/run/utmp",
    "/var/cache/rc",
    "/var/log",
    "/var/lib/seedrng",
    "/root/.ansible",
)
LIST_FILES = (
    "find / /run -xdev \\( "
    + " -o ".join(f"-path {path}" for path in VOLATILE)
    + " \\) -prune -o -type f -exec stat -c '%n %a %s %Y' {} +"
)


@dataclass(frozen=True)
class State:
    """What a load or a reboot changes on a host."""

    boot_id: str
    loaded: str
    cmdline: str
    files: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """The files without their mode, size and age."""
        return frozenset(line.rsplit(" ", 3)[0] for line in self.files)

    def parameters(self, *without: str) -> list[str]:
        """The command line, less what begins with one of these."""
        return [word for word in self.cmdline.split() if not word.startswith(without)]


class Machine:
    """A host of an inventory."""

    def __init__(self, name: str, inventory: str) -> None:
        self.name = name
        self.inventory = inventory
        # Its attributes are made when they are asked for, and have no types.
        self.host: t.Any = testinfra.get_host(f"ansible://{name}", ansible_inventory=inventory)

    def read(self, path: str) -> str:
        # Files of /proc and /sys have no size that a download could go by.
        return t.cast(str, self.host.check_output("cat %s", path)).strip()

    def boot_id(self) -> str:
        return self.read("/proc/sys/kernel/random/boot_id")

    def state(self) -> State:
        return State(
            self.boot_id(),
            # A container may see a kernel that was built without kexec; its host is not the lab's.
            self.host.run("cat /sys/kernel/kexec_loaded").stdout.strip(),
            self.read("/proc/cmdline"),
            frozenset(self.host.check_output(LIST_FILES).splitlines()),
        )

    def module(self, name: str, /, *options: str, **arguments: t.Any) -> TaskResult:
        """What one module of this collection returns; options are those of ansible-playbook."""
        module = f"alpinefleet.kexec.{name}"
        play = {"hosts": "all", "gather_facts": False, "tasks": [{"name": name, module: arguments}]}
        with tempfile.TemporaryDirectory(prefix="alpinefleet-kexec-") as folder:
            playbook = Path(folder, "playbook.yml")
            playbook.write_text(json.dumps([play]), encoding="utf-8")
            return self.play(playbook, *options).task(name)

    def play(self, playbook: str | Path, *options: str, **variables: t.Any) -> PlayRun:
        return run_playbook(
            playbook, self.inventory, f"--limit={self.name}", *options, variables=variables
        )

    def kill_play(
        self, playbook: str | Path, moment: t.Callable[[], object], **variables: t.Any
    ) -> None:
        """Run a playbook, which dies without a word when a call has returned."""
        limit = f"--limit={self.name}"
        kill_playbook(playbook, self.inventory, limit, moment=moment, variables=variables)

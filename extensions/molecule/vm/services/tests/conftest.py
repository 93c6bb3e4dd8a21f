# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of this scenario, and the ways in which their boots are ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import lab
from tests.plays import FAST_REBOOT, Machine, PlayRun, Supply

CORE_REBOOT = Path(__file__).parents[1] / "core-reboot.yml"
CONVERGE = Path(__file__).parents[1] / "converge.yml"


def detached(command: str) -> Callable[[Machine], None]:
    """What a user types at a shell that outlives the connection."""

    def act(machine: Machine) -> None:
        # Without a terminal the connection would wait for everything that holds its streams.
        done = lab.ssh(lab.find(machine.name), f"({command}) </dev/null >/dev/null 2>&1 &")
        assert done.returncode == 0, done.stderr

    return act


def playbook(path: Path) -> Callable[[Machine], None]:
    """A playbook that reboots the host and must be content with it."""

    def act(machine: Machine) -> None:
        run = machine.play(path)
        assert run.rc == 0, run.output

    return act


def order(machine: Machine) -> None:
    """An order of kexec_reboot that nobody waits for."""
    task = machine.module("kexec_reboot", wait=False)
    assert task.status == "ok", task.result


ACTIONS: dict[str, Callable[[Machine], None]] = {
    "reboot": detached("reboot"),
    "poweroff": detached("poweroff"),
    "halt": detached("halt"),
    # What the kernel tells init when somebody presses these keys at the console.
    "Ctrl-Alt-Del": detached("kill -INT 1"),
    "power button": lambda machine: lab.power_button(machine.name),
    "ansible.builtin.reboot": playbook(CORE_REBOOT),
    "fast-reboot.yml": playbook(FAST_REBOOT),
    "stop, then reboot": detached("rc-service kexec-load stop; reboot"),
    "poweroff, then reboot": detached("poweroff; sleep 2; reboot"),
    "kexec-reboot": detached("kexec-reboot"),
    "kexec_reboot": order,
}


class Host(Machine):
    """A machine whose boots are ended."""

    def role(self, *options: str, **variables: object) -> PlayRun:
        return self.play(CONVERGE, *options, **variables)

    def end(self, action: str) -> lab.Ending:
        """End its boot, and have it up again."""
        record = lab.find(self.name)
        found = lab.ending(record, lambda: ACTIONS[action](self))
        lab.bring_back(record, found)
        return found

    def last_log(self) -> str:
        """What kexec-load said last."""
        return self.shell("grep kexec-load: /var/log/messages | tail -n 1")

    def shell(self, command: str) -> str:
        return lab.shell(lab.find(self.name), command)


@pytest.fixture
def serial(machines: Supply) -> Host:
    """A host that reboots through kexec on request."""
    return machines.take(Host, "serial-on_request")


@pytest.fixture
def parallel(machines: Supply) -> Host:
    """A host whose every reboot goes through kexec, with services that stop side by side."""
    return machines.take(Host, "parallel-every_reboot")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that is killed while it writes leaves whole files, and the next run nothing over."""

from __future__ import annotations

import random

import pytest

from tests.plays import EXHAUSTIVE, MENUS, Supply

from .conftest import Host

KILLS = 20 if EXHAUSTIVE else 5
LOADERS = tuple(MENUS) if EXHAUSTIVE else ("extlinux",)
VALUE = "killed-{:04}"
MODULE = "ls /root/.ansible/tmp/*/AnsiballZ_boot_parameter.py"
# Of the menu only the value may differ from what a run that was left alone has written.
MENU = "sed 's/killed-[0-9]*/killed/' %s | sha256sum"
# The module and the tools that it runs are a session, and die together.
KILL = """
sed -i 's/killed-[0-9]*/{value}/' {module}
setsid python3 {module} >/dev/null 2>&1 &
sleep {seconds:.2f}
kill -KILL -$! 2>/dev/null
wait
"""
# A write that gets through within this time is not frozen.
WRITE = "timeout 10 sh -c 'echo >/boot/written && sync /boot/written && rm /boot/written'"
LEFT = "find /boot /etc -xdev -name '.*boot-parameter*' ! -name '*-old'"


def kept_module(host: Host, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the module once, and return where the host has it."""
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    monkeypatch.setenv("ANSIBLE_PIPELINING", "0")
    task = host.module("boot_parameter", name="power_cut", value=VALUE.format(0))
    assert (task.status, task.result["changed"]) == ("ok", True), task.result
    return str(host.host.check_output(MODULE))


@pytest.mark.parametrize("loader", LOADERS)
def test_files_are_whole_wherever_the_module_is_killed(
    machines: Supply, monkeypatch: pytest.MonkeyPatch, loader: str
) -> None:
    host, menu = machines.take(Host, loader), MENUS[loader].path
    module = kept_module(host, monkeypatch)
    whole = host.host.check_output(MENU, menu)
    took = float(host.host.check_output("sh -c %s", timed(module)))
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    print(f"a run takes {took} s; seed {seed}")
    for number in range(1, KILLS + 1):
        # Nothing is written before Python has read the module.
        seconds = moments.uniform(took / 3, took)
        kill = KILL.format(value=VALUE.format(number), module=module, seconds=seconds)
        host.host.run("sh -c %s", kill)
        assert host.host.check_output(MENU, menu) == whole, f"killed after {seconds} s"
        assert host.host.run(WRITE).rc == 0, f"killed after {seconds} s"
    last = host.module("boot_parameter", name="power_cut", value=VALUE.format(KILLS + 1))
    assert last.status == "ok", last.result
    assert VALUE.format(KILLS + 1) in host.read(menu)
    assert host.host.check_output(LEFT) == ""


def timed(module: str) -> str:
    """The seconds that a run takes which is left alone."""
    clock = "$(cut -d' ' -f1 /proc/uptime)"
    run = f"sed -i 's/killed-[0-9]*/{VALUE.format(KILLS + 2)}/' {module} && python3 {module}"
    return f'a={clock}; {run} >/dev/null; b={clock}; awk "BEGIN {{ print $b - $a }}"'

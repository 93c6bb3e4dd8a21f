# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each way to end a boot comes to, in both modes, with services in order or in parallel."""

from __future__ import annotations

import pytest

from tests.plays import EXHAUSTIVE, Supply

from .conftest import Host

# Where each way ends, by mode. Poweroff stays poweroff, and halt stays halt.
ENDINGS = {
    "reboot": {"on_request": "firmware", "every_reboot": "kexec"},
    "poweroff": {"on_request": "off", "every_reboot": "off"},
    "halt": {"on_request": "halted", "every_reboot": "halted"},
    "Ctrl-Alt-Del": {"on_request": "firmware", "every_reboot": "kexec"},
    "power button": {"on_request": "off", "every_reboot": "off"},
    "ansible.builtin.reboot": {"on_request": "firmware", "every_reboot": "kexec"},
    "fast-reboot.yml": {"on_request": "kexec", "every_reboot": "kexec"},
    "stop, then reboot": {"on_request": "firmware", "every_reboot": "firmware"},
    "kexec-reboot": {"on_request": "kexec", "every_reboot": "kexec"},
}
MODES = ("on_request", "every_reboot")
HOSTS = ("serial", "parallel")
# Each way in both modes, and in one of them with services that stop side by side.
MATRIX = [
    (HOSTS[(mode_number + number) % 2], mode, action)
    for mode_number, mode in enumerate(MODES)
    for number, action in enumerate(ENDINGS)
]
# What no other test of this scenario ends a boot by; the rest is for the exhaustive run.
SAMPLE = [
    ("serial", "on_request", "kexec-reboot"),
    ("parallel", "every_reboot", "poweroff"),
]
CELLS = list(dict.fromkeys([*SAMPLE, *MATRIX])) if EXHAUSTIVE else SAMPLE


@pytest.mark.long
@pytest.mark.parametrize(("name", "mode", "action"), CELLS)
def test_ending(machines: Supply, name: str, mode: str, action: str) -> None:
    host = machines.take(Host, f"{name}-{mode}")
    assert host.end(action) == ENDINGS[action][mode]
    # Before a kernel that came up through kexec, nothing writable was mounted.
    assert host.shell("dmesg | grep -c -i -e recover -e orphan") == "0"
    assert host.shell("rc-service kexec-load status").endswith("started")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot runs: what counts as its identifier, and how long it has been running."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import boot
from ansible_collections.alpinefleet.kexec.tests.unit import fakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{fakes.BOOT_ID}\n", fakes.BOOT_ID, id="as the kernel prints it"),
        pytest.param(fakes.BOOT_ID.upper(), fakes.BOOT_ID, id="capitals"),
        pytest.param("ssh: connection refused", None, id="an error message"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="no file"),
    ],
)
def test_valid_boot_id(text: str | None, expected: str | None) -> None:
    assert boot.valid_boot_id(text) == expected


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        pytest.param("4000.25 7900.00\n", 4000.25, id="with a fraction"),
        pytest.param("0.03 0.00\n", 0.03, id="just booted"),
        pytest.param("", None, id="empty"),
        pytest.param("nan 1.0\n", None, id="no number"),
    ],
)
def test_uptime(alpine: fakes.FakeHost, said: str, seconds: float | None) -> None:
    alpine.write("/proc/uptime", said)
    assert boot.uptime(alpine.host) == seconds


def test_uptime_of_a_host_that_does_not_tell_it(alpine: fakes.FakeHost) -> None:
    alpine.remove("/proc/uptime")
    assert boot.uptime(alpine.host) is None

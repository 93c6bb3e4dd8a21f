# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""fast-reboot.yml with --check --diff tells the truth and touches nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.plays import FAST_REBOOT, codes_of

from .conftest import Host

# As an installed collection has it; FAST_REBOOT is the repository's file.
BY_NAME = "alpinefleet.kexec.fast_reboot"


def check(machine: Host, playbook: str | Path = FAST_REBOOT) -> tuple[dict[str, t.Any], str]:
    """Run the playbook in check mode and see that nothing was changed."""
    before = machine.state()
    run = machine.play(playbook, "--check", "--diff")
    assert run.rc == 0, run.output
    assert machine.state() == before
    return run.reboot, run.output


def test_kexec_is_predicted(unlocked: Host) -> None:
    result, _output = check(unlocked)
    assert (result["method"], result["changed"]) == ("kexec", True)
    assert result["rebooted"] is False


def test_kexec_is_predicted_where_no_image_is_loaded(parallel: Host) -> None:
    assert parallel.read("/sys/kernel/kexec_loaded") == "0"
    result, output = check(parallel, BY_NAME)
    assert result["method"] == "kexec"
    assert "+kernel: /boot/vmlinuz-virt" in output


def test_firmware_is_predicted_with_the_reason(locked: Host) -> None:
    result, _output = check(locked)
    assert result["method"] == "firmware"
    assert "kexec_locked" in codes_of(result)


def test_a_refusal_is_predicted(locked: Host) -> None:
    before = locked.state()
    run = locked.play(FAST_REBOOT, "--check", fast_reboot_fallback="fail")
    assert run.rc != 0
    assert run.reboot["reason"]["code"] == "kexec_locked"
    assert locked.state() == before

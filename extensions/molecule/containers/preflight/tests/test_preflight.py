# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container is told from a machine, and left alone."""

from __future__ import annotations

import pytest

from tests.plays import FAST_REBOOT, Machine


def test_alpine_runs_openrc_and_has_kexec_tools(container: Machine) -> None:
    assert container.read("/etc/alpine-release")
    assert container.read("/proc/1/comm") == "init"
    assert container.host.check_output("rc-status --runlevel") == "default"
    assert container.host.check_output("kexec --version").startswith("kexec-tools")


def test_preflight_gives_the_reason_first(container: Machine) -> None:
    task = container.module("kexec_preflight")
    assert (task.status, task.result["able"]) == ("ok", False)
    assert task.codes[0] == "container"
    assert task.result["facts"]["container"] == "docker"


def test_load_refuses(container: Machine) -> None:
    before = container.state()
    task = container.module("kexec_load")
    assert task.status == "failed"
    assert task.codes[0] == "container"
    assert container.state() == before


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["for real", "check mode"])
def test_reboot_refuses(container: Machine, options: tuple[str, ...]) -> None:
    before = container.state()
    task = container.module("kexec_reboot", *options)
    assert task.status == "failed"
    # The container runs on the kernel of the machine that runs the tests.
    assert (task.result["stage"], task.codes[0]) == ("preflight", "target_is_controller")
    assert container.state() == before


def test_playbook_fails(container: Machine) -> None:
    before = container.state()
    assert container.play(FAST_REBOOT).rc != 0
    assert container.state() == before

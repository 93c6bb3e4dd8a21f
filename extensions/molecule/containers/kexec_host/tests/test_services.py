# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services under OpenRC, as far as a container shows them: it has no kernel to load."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.plays import Machine

NAME = "services-container"
WHOLE = Path(__file__).parents[1] / "whole.yml"
ROLE = "alpinefleet.kexec.kexec_host"
INTENT = "/run/alpinefleet-kexec/intent"
STOP_SECONDS = 60


@pytest.fixture(scope="module")
def container(request: pytest.FixtureRequest) -> Machine:
    return Machine(NAME, request.config.getoption("ansible_inventory"))


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).strip()


def test_services_are_where_openrc_looks(container: Machine) -> None:
    shown = container.host.check_output("rc-update show")
    assert "kexec-load | default" in " ".join(shown.split())
    assert "kexec-exec | shutdown" in " ".join(shown.split())
    assert "kexec-confirm | sysinit" in " ".join(shown.split())
    assert "kexec-modules | sysinit" in " ".join(shown.split())
    assert "kexec-modules-links | boot" in " ".join(shown.split())
    assert container.host.check_output("rc-service kexec-load status").endswith("started")
    assert container.host.file("/run/alpinefleet-kexec").mode == 0o700


def test_what_cannot_be_loaded_is_said(container: Machine) -> None:
    said = container.host.run("rc-service kexec-load verify")
    assert said.rc == 1
    assert "is missing or empty" in said.stdout + said.stderr


def test_the_role_refuses_a_container_and_leaves_it_alone(container: Machine) -> None:
    before = container.host.check_output("apk info")
    run = container.play(WHOLE)
    assert run.rc != 0
    task = run.task(f"{ROLE} : check | Refuse a host that cannot be made able")
    assert "The target is a container" in task.result["msg"]
    assert container.host.check_output("apk info") == before


def test_stop_and_start_by_hand(container: Machine) -> None:
    said = container.host.check_output("rc-service kexec-load stop")
    assert "Reboots go through firmware until this service is started again" in said
    container.host.check_output("rc-service kexec-load start")


# The last one: the container ends with it.
def test_reboot_leaves_its_wish_and_the_shutdown_says_why_not(container: Machine) -> None:
    assert not container.host.file(INTENT).exists
    docker("exec", "--detach", NAME, "/sbin/reboot")
    end = time.monotonic() + STOP_SECONDS
    while docker("inspect", "--format", "{{.State.Running}}", NAME) == "true":
        assert time.monotonic() < end, docker("logs", NAME)
        time.sleep(0.5)
    shown = docker("logs", NAME)
    assert "The reboot goes through firmware: /boot/vmlinuz-" in shown
    assert "Jumping into the loaded kernel" not in shown

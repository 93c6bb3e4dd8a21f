# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A controller that dies in the middle, or that is the host itself."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts import Fault, Host, Script

from .site import Site, failed, outcome, proven

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# From when on the controller is dead, and what the host does meanwhile.
# The shutdown lasts until the second command has looked at the host, on a slow machine, too.
SHUTDOWN = 8.0
PAUSE = 1.0
DEATHS = [
    pytest.param(
        "module", Script(faults=(Fault("module", how="pause", pause=PAUSE),)), id="module"
    ),
    pytest.param(
        "leave",
        Script(faults=(Fault("order", how="pause", pause=PAUSE),), shutdown=SHUTDOWN),
        id="order",
    ),
    pytest.param("order", Script(shutdown=SHUTDOWN), id="shutdown"),
    pytest.param("down", Script(downtime=3.0), id="down"),
    pytest.param("up", Script(), id="new system"),
]


def moment(host: Host, name: str) -> t.Callable[[], object]:
    """A call that returns when the host has come to a moment."""
    if name == "module":
        return lambda: host.journal.wait_for("module", "kexec_load")
    if name == "leave":
        return lambda: host.journal.wait_for("command", "leave")
    if name == "order":
        return lambda: host.journal.wait_for("order")
    if name == "down":
        return lambda: host.journal.wait_for("down")
    return lambda: host.journal.wait_for("up")


@pytest.mark.parametrize(("name", "script"), DEATHS)
def test_same_command_again_after_the_controller_died(
    site: Site, name: str, script: Script
) -> None:
    host = site.host(script)
    site.kill_reboot(moment(host, name))
    if name in ("down", "up"):
        host.journal.wait_for("up")
    if name == "module":
        # What a dead controller started on the host may go on there, and must have ended: it
        # would replace the image of the second one.
        host.journal.wait_until(lambda: host.journal.find("loaded") != [], seconds=3 * PAUSE)
    host.script = dataclasses.replace(script, faults=())
    before = host.boot.boot_id
    task = site.reboot()
    assert task.status == "ok", task.result
    assert task.result["rebooted"] is True
    assert task.result["method"] == "kexec"
    assert task.result["boot_id"] == {"before": before, "after": host.boot.boot_id}


# --- The controller lacks something ----------------------------------------------------------


def test_host_is_seen_although_no_socket_of_ssh_can_be_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = site.host(Script(downtime=2.0))
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="k-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)

        def clean() -> None:
            host.journal.wait_for("down")
            for path in Path(folder).glob("kexec-*"):
                shutil.rmtree(path)

        with ThreadPoolExecutor() as beside:
            cleaned = beside.submit(clean)
            assert proven(site.reboot(), host)
            cleaned.result()


# --- The target is the controller ----------------------------------------------------------


def test_host_that_is_the_controller_is_refused(site: Site) -> None:
    host = site.host(Script(real_modules=True))
    task = site.reboot(method="firmware")
    assert outcome(task) == failed("target_is_controller", "preflight", rebooted=False)
    assert task.result["boot_id"]["before"] == BOOT_ID.read_text(encoding="ascii").strip()
    assert not host.journal.find("order")


def test_host_that_is_the_controller_is_refused_in_check_mode(site: Site) -> None:
    host = site.host(Script(real_modules=True))
    task = site.reboot("--check")
    assert outcome(task) == failed("target_is_controller", "preflight", rebooted=False)
    assert host.journal.find("module", "kexec_load")
    assert not host.journal.find("command", "leave")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role takes back what it did, and check mode foretells what it does."""

from __future__ import annotations

import typing as t

import pytest

from tests.plays import PlayRun, Supply, TaskResult, only_in_full

from .conftest import Host

# What a hardening role leaves, and what kexec_host makes of it.
HARDENED = "/etc/sysctl.d/99-hardened.conf"
LOCK = "# hardening\n\nkernel.kexec_load_disabled = 1\nkernel.sysrq = 0\n"
COMMENTED = LOCK.replace("kernel.kexec", "# alpinefleet.kexec: kernel.kexec")
OURS = "ls -d /etc/conf.d/kexec-* /etc/init.d/kexec-* /etc/runlevels/*/kexec-* /sbin/kexec-* /var/lib/alpinefleet-kexec"


def diffs(run: PlayRun) -> list[tuple[str, t.Any]]:
    """What each task that changes something shows of it; headers name files of the controller."""
    return [(task.task, [without_headers(diff) for diff in shown(task)]) for task in run.changed]


def shown(task: TaskResult) -> list[dict[str, t.Any]]:
    """The differences of a task, of which a loop has one or more for each item."""
    found: list[dict[str, t.Any]] = []
    for result in task.result.get("results", [task.result]):
        diff = result.get("diff") or []
        found += [diff] if isinstance(diff, dict) else diff
    return found


def without_headers(diff: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: value for key, value in diff.items() if not key.endswith("_header")}


# What the role may change: contents, owners, modes and links, and the packages. What boot_parameter and
# update-extlinux keep of a menu before its last change is theirs.
PLACES = (
    "/boot /etc /lib/apk /sbin /usr/sbin /var/lib ! -name '*boot-parameter-old' ! -name '*.old' "
    "! -path /etc/mtab"
)
STATE = (
    f"find {PLACES} -type f -exec sha256sum '{{}}' +; "
    f"find {PLACES} -exec stat -c '%A %u %g %N' '{{}}' +; apk info"
)
EVERYTHING = {
    "kexec_host_mode": "every_reboot",
    "kexec_host_panic_timeout": 10,
    "kexec_host_remove_lock": True,
    "kexec_host_watchdog": True,
}


def state(host: Host) -> list[str]:
    return sorted(host.shell(STATE).splitlines())


def absent(host: Host) -> PlayRun:
    run = host.role(kexec_host_state="absent")
    assert run.rc == 0, run.output
    return run


@only_in_full
def test_present_again_changes_nothing(serial: Host) -> None:
    assert serial.role().changed == []


def test_absent_brings_back_what_was_there_byte_for_byte(machines: Supply) -> None:
    host = machines.take(Host, "by-hand")
    before = state(host)
    present = host.role(**EVERYTHING)
    assert present.rc == 0, present.output
    assert "panic=10" in host.read("/boot/extlinux.conf")
    assert state(host) != before
    absent(host)
    assert [line for line in state(host) if line not in before] == []
    assert state(host) == before


def test_absent_removes_what_was_not_there_as_check_mode_foretells(serial: Host) -> None:
    before = state(serial)
    foretold = serial.role("--check", "--diff", kexec_host_state="absent")
    assert foretold.rc == 0, foretold.output
    assert state(serial) == before
    done = absent(serial)
    # What is compared at the end is known only when all is put back.
    assert [task.task for task in foretold.changed] == [task.task for task in done.changed]
    assert serial.shell(f"{OURS} 2>/dev/null") == ""
    assert serial.shell("readlink /sbin/reboot") == "/bin/busybox"


@only_in_full
def test_absent_again_changes_nothing(serial: Host) -> None:
    absent(serial)
    assert absent(serial).changed == []


@only_in_full
@pytest.mark.long
def test_check_mode_foretells_what_present_does(machines: Supply) -> None:
    host = machines.take(Host, "hardened")
    files = host.state().files
    settings = {"kexec_host_mode": "every_reboot", "kexec_host_remove_lock": True}
    foretold = host.role("--check", "--diff", **settings)
    assert foretold.rc == 0, foretold.output
    assert host.state().files == files
    done = host.role("--diff", **settings)
    assert done.rc == 0, done.output
    assert diffs(foretold) == diffs(done)
    assert "alpinefleet.kexec.kexec_host : services | Install the services" in dict(diffs(done))
    # A boot with the line in force would lock kexec again.
    assert host.host.file(HARDENED).content_string == COMMENTED
    assert host.end("reboot") == "kexec"

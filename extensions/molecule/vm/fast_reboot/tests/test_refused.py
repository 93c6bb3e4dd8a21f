# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads that fail: the host is as it was, and the result says why."""

from __future__ import annotations

import typing as t

from tests.plays import only_in_full

from .conftest import KERNEL, Host

KEXEC = "/usr/sbin/kexec"
REAL = "/usr/sbin/kexec.real"
TRUNCATED = "/boot/initramfs-truncated"
PADDED = "/boot/initramfs-padded"
# The kernel skips the zeros behind an archive, and they take no room on the disk. With so many
# an image needs far more memory than a host needs to live.
PAD = f"cp /boot/initramfs-virt {PADDED} && truncate -s 160M {PADDED}"
LEFT_MIB = 200
HUGE_PAGES = "/proc/sys/vm/nr_hugepages"
# Reserved pages are free memory that nobody can have; each has two MiB.
FILL = (
    "free=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo) && "
    f"echo $(((free - {LEFT_MIB}) / 2)) >{HUGE_PAGES}"
)
LOCK_DOWN = (
    "mount -t securityfs none /sys/kernel/security 2>/dev/null; "
    "echo integrity >/sys/kernel/security/lockdown"
)


def instead_of_kexec(host: Host, does: str) -> None:
    """Put a script before the command, or take the command away if it is empty."""
    host.host.check_output("mv %s %s", KEXEC, REAL)
    if does:
        script = f'#!/bin/sh\n{does}\nexec {REAL} "$@"\n'
        host.host.check_output("printf %%s %s >%s && chmod 755 %s", script, KEXEC, KEXEC)


def refusal(host: Host, **arguments: t.Any) -> tuple[str, str]:
    """What stands against kexec, where firmware is no answer; the host stays what it was."""
    before = host.boot_id()
    task = host.reboot(fallback="fail", **arguments)
    assert (task.status, task.result["rebooted"]) == ("failed", False)
    assert host.boot_id() == before
    assert host.read("/sys/kernel/kexec_loaded") == "0"
    assert task.result["reason"]["remedy"] in task.result["msg"]
    return task.result["reason"]["code"], task.result["stage"]


def test_kexec_that_is_missing(parallel: Host) -> None:
    instead_of_kexec(parallel, "")
    assert refusal(parallel) == ("no_kexec_tools", "preflight")


@only_in_full
def test_kexec_that_is_killed_while_it_loads(parallel: Host) -> None:
    instead_of_kexec(parallel, 'case "$*" in *-l*) kill -KILL $$ ;; esac')
    assert refusal(parallel) == ("load_failed", "load")


@only_in_full
def test_memory_that_is_not_there(parallel: Host) -> None:
    image = {"kernel": KERNEL, "initramfs": [PADDED]}
    parallel.host.check_output("sh -c %s", f"{PAD} && {FILL}")
    assert refusal(parallel, **image) == ("memory_low", "preflight")


def test_initramfs_that_is_cut(parallel: Host) -> None:
    parallel.host.check_output("head -c 3000000 /boot/initramfs-virt >%s", TRUNCATED)
    image = {"kernel": KERNEL, "initramfs": [TRUNCATED]}
    assert refusal(parallel, **image) == ("initramfs_truncated", "preflight")


def test_kernel_that_refuses(parallel: Host) -> None:
    parallel.host.check_output("sh -c %s", LOCK_DOWN)
    assert refusal(parallel) == ("lockdown", "preflight")
    parallel.host.check_output("sh -c %s", "echo 0 >/proc/sys/kernel/kexec_load_limit_reboot")
    assert refusal(parallel) == ("kexec_limit_reached", "preflight")
    task = parallel.reboot()
    assert (task.result["rebooted"], task.result["method"]) == (True, "firmware")
    assert {"kexec_limit_reached", "lockdown"} <= set(task.codes)
    assert parallel.module("kexec_preflight").result["able"]

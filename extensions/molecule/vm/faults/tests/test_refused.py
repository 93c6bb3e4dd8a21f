# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loads that fail: the host is as it was, and the result says why."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from .conftest import KERNEL, Host

KEXEC = "/usr/sbin/kexec"
REAL = "/usr/sbin/kexec.real"
FULL = "/dev/shm/full"
TRUNCATED = "/boot/initramfs-truncated"
# It leaves less than an image needs, and enough to live.
FILL = f"""
free=$(awk '/MemAvailable/ {{ print int($2 / 1024) }}' /proc/meminfo)
mount -o remount,size=100% /dev/shm
dd if=/dev/zero of={FULL} bs=1M count=$((free - 70)) 2>/dev/null
"""


@contextlib.contextmanager
def instead_of_kexec(host: Host, does: str) -> t.Iterator[None]:
    """Put a script before the command, or take the command away if it is empty."""
    host.host.check_output("mv %s %s", KEXEC, REAL)
    if does:
        script = f'#!/bin/sh\n{does}\nexec {REAL} "$@"\n'
        host.host.check_output("printf %%s %s >%s && chmod 755 %s", script, KEXEC, KEXEC)
    try:
        yield
    finally:
        host.host.check_output("mv %s %s", REAL, KEXEC)


def refusal(host: Host, **arguments: t.Any) -> tuple[str, str]:
    """What stands against kexec, where firmware is no answer; the host stays what it was."""
    before = host.boot_id()
    task = host.reboot(fallback="fail", **arguments)
    assert (task.status, task.result["rebooted"]) == ("failed", False)
    assert host.boot_id() == before
    assert host.read("/sys/kernel/kexec_loaded") == "0"
    assert task.result["reason"]["remedy"] in task.result["msg"]
    return task.result["reason"]["code"], task.result["stage"]


def test_kexec_that_is_missing(plain: Host) -> None:
    with instead_of_kexec(plain, ""):
        assert refusal(plain) == ("no_kexec_tools", "preflight")


def test_kexec_that_is_killed_while_it_loads(plain: Host) -> None:
    with instead_of_kexec(plain, 'case "$*" in *-l*) kill -KILL $$ ;; esac'):
        assert refusal(plain) == ("load_failed", "load")


def test_memory_that_is_not_there(plain: Host) -> None:
    plain.shell(FILL)
    try:
        assert refusal(plain) == ("memory_low", "preflight")
    finally:
        plain.shell(f"rm {FULL}")


def test_initramfs_that_is_cut(plain: Host) -> None:
    plain.shell(f"head -c 3000000 /boot/initramfs-virt >{TRUNCATED}")
    try:
        image = {"kernel": KERNEL, "initramfs": [TRUNCATED]}
        assert refusal(plain, **image) == ("initramfs_truncated", "preflight")
    finally:
        plain.shell(f"rm {TRUNCATED}")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(
            "echo 0 >/proc/sys/kernel/kexec_load_limit_reboot", "kexec_limit_reached", id="limit"
        ),
        pytest.param(
            "mount -t securityfs none /sys/kernel/security; "
            "echo integrity >/sys/kernel/security/lockdown",
            "lockdown",
            id="lockdown",
        ),
    ],
)
# The last ones: only a boot through firmware takes these away.
def test_kernel_that_refuses(plain: Host, command: str, code: str) -> None:
    plain.shell(command)
    assert refusal(plain) == (code, "preflight")
    task = plain.reboot()
    assert (task.result["rebooted"], task.result["method"]) == (True, "firmware")
    assert task.codes[0] == code
    assert plain.module("kexec_preflight").result["able"]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jumps that fail: the host is back through firmware by itself, and remembers."""

from __future__ import annotations

import threading

from tests.plays import TaskResult, initramfs_with, only_in_full

from .conftest import KERNEL, Host
from .test_refused import instead_of_kexec

BACK_BY_FIRMWARE = (True, "firmware")
PANIC = r"#!/bin/sh\nexit 1\n"
BROKEN = "/boot/initramfs-broken"
LAST_REBOOT = "/var/lib/alpinefleet-kexec/last-reboot"


def fell_back(task: TaskResult) -> None:
    assert (task.result["rebooted"], task.result["method"]) == BACK_BY_FIRMWARE, task.result
    assert task.codes[0] == "kexec_not_proven"


def test_kexec_that_is_killed_at_the_jump(parallel: Host) -> None:
    instead_of_kexec(parallel, 'case "$*" in *-e*) kill -KILL $$ ;; esac')
    fell_back(parallel.reboot())
    # There was no jump that could have hung, and the next boot has the reason.
    assert "kexec_hung" not in parallel.module("kexec_preflight").codes
    assert parallel.read(LAST_REBOOT) == "- kexec -e failed: it said nothing."


@only_in_full
def test_initramfs_that_does_not_find_the_root_device(parallel: Host) -> None:
    seen = len(parallel.console())
    fell_back(parallel.reboot(cmdline_append=["root=/dev/nonexistent"]))
    assert "Kernel panic" in parallel.console()[seen:]
    assert "kexec_hung" in parallel.module("kexec_preflight").codes


# In every run, init that does not find its root is what panics.
@only_in_full
def test_a_panic_comes_back_through_firmware(unlocked: Host) -> None:
    unlocked.host.check_output("sh -c %s", initramfs_with(PANIC, BROKEN))
    seen = len(unlocked.console())
    task = unlocked.reboot(kernel=KERNEL, initramfs=[BROKEN], panic_timeout=1)
    fell_back(task)
    assert "Attempted to kill init" in unlocked.console()[seen:]
    assert "panic=1" not in unlocked.read("/proc/cmdline").split()


@only_in_full
def test_two_controllers_at_once(parallel: Host) -> None:
    before, seen = parallel.boot_id(), len(parallel.console())
    results: list[TaskResult] = []
    both = [
        threading.Thread(target=lambda: results.append(parallel.reboot())) for _number in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    # Which of them comes first decides what the other one finds: a host that leaves already, one
    # that came up with the image of the first, or one that did what it wanted, too.
    done = [task for task in results if task.status == "ok"]
    refused = [task.result["reason"]["code"] for task in results if task.status == "failed"]
    assert [task.result["rebooted"] for task in done] == [True] * len(done) != [], results
    assert set(refused) <= {
        "already_leaving",
        "image_replaced",
        "load_in_progress",
        "wrong_method",
    }, results
    assert {task.result["boot_id"]["after"] for task in done} == {parallel.boot_id()} != {before}
    assert parallel.console()[seen:].count("is starting up Linux") == 1

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kexec_load on a real kernel."""

from __future__ import annotations

import json

import pytest

from .conftest import Host

RECORD = "/run/alpinefleet-kexec/image.json"
LOADED = "/sys/kernel/kexec_loaded"


def test_image_is_loaded(unlocked: Host) -> None:
    assert unlocked.read(LOADED) == "1"
    record = unlocked.host.file(RECORD)
    assert (record.user, record.mode) == ("root", 0o600)
    assert json.loads(record.content_string)["kernel"] == "/boot/vmlinuz-virt"


def test_nothing_is_loaded_on_a_locked_kernel(locked: Host) -> None:
    assert locked.read(LOADED) == "0"
    assert not locked.host.file(RECORD).exists


def test_load_refuses_a_locked_kernel_and_says_what_unlocks_it(locked: Host) -> None:
    task = locked.module("kexec_load")
    assert task.status == "failed"
    assert "kexec_load_disabled=0" in task.result["msg"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("/etc/passwd", "kernel_invalid", id="not a kernel"),
        pytest.param("/boot/none", "kernel_missing", id="no file"),
        pytest.param("/proc/kcore", "path_invalid", id="not a file on a disk"),
    ],
)
def test_a_wrong_kernel_is_refused_and_the_image_stays(
    unlocked: Host, path: str, code: str
) -> None:
    before = unlocked.state()
    task = unlocked.module("kexec_load", kernel=path, initramfs=[])
    assert task.status == "failed"
    assert task.codes[0] == code
    assert before.loaded == "1"
    assert unlocked.state() == before


def test_unload_in_check_mode_predicts_and_changes_nothing(unlocked: Host) -> None:
    before = unlocked.state()
    assert unlocked.module("kexec_load", "--check", state="unloaded").result["changed"]
    assert unlocked.state() == before


def test_unload_and_load_again(unlocked: Host) -> None:
    assert unlocked.module("kexec_load", state="unloaded").result["changed"]
    assert unlocked.read(LOADED) == "0"
    assert not unlocked.host.file(RECORD).exists
    assert not unlocked.module("kexec_load", state="unloaded").result["changed"]
    assert unlocked.module("kexec_load").result["changed"]
    assert unlocked.read(LOADED) == "1"
    assert not unlocked.module("kexec_load").result["changed"]

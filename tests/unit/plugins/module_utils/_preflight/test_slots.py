# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots as a preflight sees them: by names, sizes and times, as kernel_slot makes them."""

from __future__ import annotations

import os

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.slot_places import (
    SLOTS_FOLDER,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import slots, survey
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import store
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.trials import TrialHost

NOW = 1_795_671_657


@pytest.fixture
def kernels(alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch) -> TrialHost:
    found = TrialHost(alpine, monkeypatch)
    touch(alpine, store.path_of(found.good, "manifest"), NOW)
    for name in ("vmlinuz-virt", "initramfs-virt"):
        touch(alpine, f"/boot/{name}", NOW - 60)
    return found


def touch(alpine: fakes.FakeHost, path: str, when: int) -> None:
    os.utime(alpine.path(path), (when, when))


def read(kernels: TrialHost) -> dict[str, object] | None:
    return slots.read(kernels.host, store.path_of(kernels.good, "linux"))


def test_host_without_slots(alpine: fakes.FakeHost) -> None:
    assert slots.read(alpine.host, "/boot/vmlinuz-virt") is None
    alpine.write(f"{SLOTS_FOLDER}/good", "a note\n")
    alpine.write(f"{SLOTS_FOLDER}/.draft-6.1-0123456789ab/linux", "half of one")
    assert slots.read(alpine.host, None) is None


def test_good_slot_is_the_one_that_firmware_boots(kernels: TrialHost) -> None:
    kernels.alpine.write(f"{SLOTS_FOLDER}/6.1-0123456789ab/manifest", "{}")
    others = ["6.1-0123456789ab"]
    assert read(kernels) == {
        "good": kernels.good,
        "others": others,
        "whole": True,
        "newer": None,
    }
    assert slots.read(kernels.host, "/boot/vmlinuz-virt") == {
        "good": None,
        "others": [*others, kernels.good],
        "whole": None,
        "newer": None,
    }


@pytest.mark.parametrize("name", ["vmlinuz-virt", "initramfs-virt"])
def test_later_files_of_apk_are_told(kernels: TrialHost, name: str) -> None:
    touch(kernels.alpine, f"/boot/{name}", NOW + 60)
    found = read(kernels)
    assert found is not None
    assert (found["whole"], found["newer"]) == (True, "2026-11-26T05:41:57Z")


def test_slot_is_whole_without_files_of_apk(kernels: TrialHost) -> None:
    for name in ("vmlinuz-virt", "initramfs-virt"):
        kernels.alpine.remove(f"/boot/{name}")
    found = read(kernels)
    assert found is not None
    assert (found["whole"], found["newer"]) == (True, None)


@pytest.mark.parametrize("name", ["linux", "initrd"])
def test_slot_with_a_file_that_is_cut_or_gone_is_not_whole(kernels: TrialHost, name: str) -> None:
    path = store.path_of(kernels.good, name)
    kernels.alpine.cut(path, 60)
    assert (read(kernels) or {})["whole"] is False
    kernels.alpine.remove(path)
    assert (read(kernels) or {})["whole"] is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"files": []}',
        '{"files": {"linux": 7}, "flavour": "virt"}',
        '{"files": {"linux": ["x"]}, "flavour": "virt"}',
        '{"files": {"\\u0000": ["x", 1]}, "flavour": "virt"}',
        b"\xff\xfe\0",
    ],
)
def test_slot_whose_manifest_is_not_understood_is_not_whole(
    kernels: TrialHost, text: str | bytes
) -> None:
    kernels.alpine.write(store.path_of(kernels.good, "manifest"), text)
    assert (read(kernels) or {})["whole"] is False


def test_preflight_tells_it(kernels: TrialHost) -> None:
    kernel = store.path_of(kernels.good, "linux")
    initramfs = store.path_of(kernels.good, "initrd")
    text = fakes.extlinux(fakes.CONFIGURED, kernel=kernel[6:], initrd=initramfs[6:])
    kernels.alpine.write("/boot/extlinux.conf", text)
    found = survey.survey(kernels.host, Wish())
    assert survey.facts(found)["slots"] == read(kernels)
    assert found.configured.kernel == kernel

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that are kept for a slot: what is linked, what is copied, and what is left out."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import slot_places
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import modules
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.manifest import Modules
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

A = slots.slot().id
TREE = f"/lib/modules/{fakes.RELEASE}"
KEPT = f"/lib/alpinefleet-kexec/{A}"
EXT4 = "kernel/fs/ext4/ext4.ko.gz"


@pytest.fixture(autouse=True)
def tree(alpine: fakes.FakeHost) -> None:
    slots.install_modules(alpine)


def keep(alpine: fakes.FakeHost) -> None:
    wanted = modules.installed(alpine.host, fakes.RELEASE)
    modules.keep(alpine.host, fakes.RELEASE, A, wanted)


def files(alpine: fakes.FakeHost, top: str) -> set[str]:
    real = alpine.path(top)
    return {
        str(path.relative_to(real))
        for path in real.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def test_modules_are_counted_by_name_and_known_by_the_list_of_them(alpine: fakes.FakeHost) -> None:
    found = modules.installed(alpine.host, fakes.RELEASE)
    assert found == Modules(2, alpine.host.digest(f"{TREE}/modules.dep") or "")
    assert modules.installed(alpine.host, "6.1.0-0-virt") == Modules(0, "")


def test_tree_is_kept_without_what_makes_it_one_of_a_kernel_that_is_installed(
    alpine: fakes.FakeHost,
) -> None:
    keep(alpine)
    left_out = {"kernel-suffix", "modules.order", slot_places.KEEPER}
    assert files(alpine, TREE) - files(alpine, KEPT) == left_out
    assert os.readlink(alpine.path(f"{KEPT}/vmlinuz")) == "/boot/vmlinuz-virt"
    assert modules.kept(alpine.host, A) == modules.installed(alpine.host, fakes.RELEASE)


def test_modules_are_links_and_what_depmod_writes_into_is_not(alpine: fakes.FakeHost) -> None:
    keep(alpine)
    assert alpine.path(f"{TREE}/{EXT4}").samefile(alpine.path(f"{KEPT}/{EXT4}"))
    alpine.write(f"{TREE}/modules.dep", "written in place")
    assert alpine.path(f"{KEPT}/modules.dep").read_text() != "written in place"


def test_tree_outlives_that_of_apk(alpine: fakes.FakeHost) -> None:
    before = modules.installed(alpine.host, fakes.RELEASE)
    keep(alpine)
    alpine.remove(TREE)
    assert modules.kept(alpine.host, A) == before


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_links_are_refused_there_are_copies(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_paths: str, **_options: t.Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    keep(alpine)
    one, other = alpine.path(f"{TREE}/{EXT4}"), alpine.path(f"{KEPT}/{EXT4}")
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_mode == other.stat().st_mode
    assert not one.samefile(other)


def test_other_failure_leaves_no_tree(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_paths: str, **_options: t.Any) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="broken"):
        keep(alpine)
    assert os.listdir(alpine.path("/lib/alpinefleet-kexec")) == []


def test_kept_tree_stays_as_it_is(alpine: fakes.FakeHost) -> None:
    keep(alpine)
    before = alpine.snapshot()
    keep(alpine)
    assert alpine.snapshot() == before


def test_damaged_tree_is_kept_anew(alpine: fakes.FakeHost) -> None:
    keep(alpine)
    alpine.remove(f"{KEPT}/{EXT4}")
    keep(alpine)
    assert modules.kept(alpine.host, A) == modules.installed(alpine.host, fakes.RELEASE)


def test_tree_that_changes_meanwhile_is_refused(alpine: fakes.FakeHost) -> None:
    with pytest.raises(ReasonError) as refusal:
        modules.keep(alpine.host, fakes.RELEASE, A, Modules(3, "0" * 64))
    assert refusal.value.reason.code == "slot_source_changed"
    assert os.listdir(alpine.path("/lib/alpinefleet-kexec")) == []


def test_tree_is_kept_where_lib_is_a_link(alpine: fakes.FakeHost) -> None:
    alpine.path("/usr").mkdir(exist_ok=True)
    alpine.path("/lib").rename(alpine.path("/usr/lib"))
    alpine.path("/lib").symlink_to("usr/lib")
    keep(alpine)
    assert alpine.path(f"/usr{KEPT}/{EXT4}").exists()


KEEPER = f"{TREE}/{slot_places.KEEPER}"


def remove_as_apk_does(alpine: fakes.FakeHost) -> None:
    """What apk knows is removed, what its triggers have made, and a folder in which nothing is left."""
    for path in sorted(alpine.path(TREE).rglob("*"), reverse=True):
        if path.name != slot_places.KEEPER:
            path.rmdir() if path.is_dir() else path.unlink()
    if not os.listdir(alpine.path(TREE)):
        alpine.path(TREE).rmdir()


def test_place_to_mount_modules_at_outlives_an_upgrade(alpine: fakes.FakeHost) -> None:
    keep(alpine)
    remove_as_apk_does(alpine)
    assert os.listdir(alpine.path(TREE)) == [slot_places.KEEPER]
    modules.leave_place(alpine.host, fakes.RELEASE)
    assert alpine.path(KEEPER).exists()


def test_place_goes_with_the_last_slot_of_the_release(alpine: fakes.FakeHost) -> None:
    keep(alpine)
    alpine.remove(KEPT)
    modules.leave_place(alpine.host, fakes.RELEASE)
    assert not alpine.path(KEEPER).exists()
    assert alpine.path(f"{TREE}/{EXT4}").exists()
    modules.leave_place(alpine.host, fakes.RELEASE)
    keep(alpine)
    remove_as_apk_does(alpine)
    alpine.remove(KEPT)
    modules.leave_place(alpine.host, fakes.RELEASE)
    assert not alpine.path(TREE).exists()


def test_note_of_what_was_given_back_stays_as_it_is(alpine: fakes.FakeHost) -> None:
    alpine.write(KEEPER, f"{A}\n")
    keep(alpine)
    assert not alpine.path(f"{KEPT}/{slot_places.KEEPER}").exists()
    alpine.remove(KEPT)
    modules.leave_place(alpine.host, fakes.RELEASE)
    assert alpine.path(KEEPER).read_text() == f"{A}\n"

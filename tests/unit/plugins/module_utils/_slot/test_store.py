# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots on the disk: made whole or not at all, looked at, mended and forgotten."""

from __future__ import annotations

import errno
import os
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.slot_places import (
    SLOTS_FOLDER,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import candidate, store
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.candidate import Candidate
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import draft
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

BOARD = "dtbs/vendor/board.dtb"


@pytest.fixture(autouse=True)
def tree(alpine: fakes.FakeHost) -> None:
    slots.install_modules(alpine)
    alpine.write(f"/boot/dtbs-virt/{BOARD[5:]}", "a tree")
    alpine.write("/boot/intel-ucode.img", fakes.microcode())
    os.chmod(alpine.path("/boot/initramfs-virt"), 0o600)


def look(alpine: fakes.FakeHost, cmdline: str = "quiet") -> Candidate:
    entry = Entry("virt", "vmlinuz-virt", ("intel-ucode.img", "initramfs-virt"), cmdline)
    return candidate.look(alpine.host, Menus("extlinux", apks=entry))


def make(alpine: fakes.FakeHost, cmdline: str = "quiet") -> str:
    return store.make(alpine.host, look(alpine, cmdline))


def path(alpine: fakes.FakeHost, name: str, file: str) -> t.Any:
    return alpine.path(store.path_of(name, file))


def test_slot_holds_what_it_was_made_of(alpine: fakes.FakeHost) -> None:
    made_of = look(alpine)
    name = make(alpine)
    (found,) = store.listed(alpine.host)
    assert (found.id, found.manifest, found.whole) == (name, made_of.manifest, True)
    assert path(alpine, name, "linux").read_bytes() == fakes.bzimage()
    assert path(alpine, name, "initrd").read_bytes().endswith(fakes.initramfs())
    assert path(alpine, name, BOARD).read_text() == "a tree"
    assert path(alpine, name, "initrd").stat().st_mode & 0o777 == 0o600
    assert store.parked(alpine.host) == {name}


def test_slot_outlives_what_it_was_made_of(alpine: fakes.FakeHost) -> None:
    name = make(alpine)
    alpine.remove(f"/lib/modules/{fakes.RELEASE}")
    alpine.add_flavour("virt", "6.18.57-0-virt")
    assert store.look(alpine.host, name).whole


def test_slot_is_never_made_twice(alpine: fakes.FakeHost) -> None:
    make(alpine)
    before = alpine.snapshot()
    make(alpine)
    assert alpine.snapshot() == before


def test_entry_names_the_files_of_the_slot(alpine: fakes.FakeHost) -> None:
    name = make(alpine, "root=UUID=1 alpinefleet_kexec.slot=other")
    found = store.look(alpine.host, name).manifest
    assert found is not None
    entry = store.entry_of(name, found)
    assert (entry.kernel, entry.initramfs) == (
        f"{SLOTS_FOLDER}/{name}/linux",
        (f"{SLOTS_FOLDER}/{name}/initrd",),
    )
    assert entry.dtbs == f"{SLOTS_FOLDER}/{name}/dtbs"
    assert entry.cmdline == "root=UUID=1"
    assert fakes.RELEASE in entry.title
    bare = store.entry_of(name, replace(found, files={"linux": found.files["linux"]}))
    assert (bare.initramfs, bare.dtbs) == ((), None)


def test_no_name_in_boot_is_one_that_tools_take_for_a_kernel(alpine: fakes.FakeHost) -> None:
    name = make(alpine)
    names = [each.name for each in alpine.path(f"{SLOTS_FOLDER}/{name}").rglob("*")]
    assert [each for each in names if each.startswith(("vmlinuz", "kernel-"))] == []


def test_newest_is_first(alpine: fakes.FakeHost) -> None:
    names = [make(alpine, cmdline) for cmdline in ("one", "two", "three")]
    for age, name in enumerate(names):
        os.utime(path(alpine, name, "manifest"), (1000 - age, 1000 - age))
    assert [slot.id for slot in store.listed(alpine.host)] == names
    path(alpine, names[0], "manifest").unlink()
    assert [slot.id for slot in store.listed(alpine.host)] == [*names[1:], names[0]]


@pytest.mark.parametrize("cmdline", ["quiet", "alpinefleet_kexec.slot=../x quiet", 'a="b'])
def test_kernel_that_was_told_no_slot_is_of_none(alpine: fakes.FakeHost, cmdline: str) -> None:
    alpine.write("/proc/cmdline", f"{cmdline}\n")
    assert store.running(alpine.host) is None


def test_kernel_tells_its_slot(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/cmdline", f"quiet alpinefleet_kexec.slot={slots.slot().id}\n")
    assert store.running(alpine.host) == slots.slot().id


# --- Damage ----------------------------------------------------------------------------------


def damage(alpine: fakes.FakeHost, name: str, part: str) -> None:
    if part == "modules":
        alpine.remove(f"/lib/alpinefleet-kexec/{name}/extra")
    elif part == "all":
        alpine.remove(f"{SLOTS_FOLDER}/{name}")
    else:
        alpine.write(store.path_of(name, part), "\0" * 80)


PARTS = ("linux", "initrd", BOARD, "manifest", "modules")


@pytest.mark.parametrize("part", PARTS)
def test_damage_is_seen(alpine: fakes.FakeHost, part: str) -> None:
    name = make(alpine)
    damage(alpine, name, part)
    found = store.look(alpine.host, name)
    assert (found.damaged, found.whole) == ((part,), False)


def test_manifest_of_another_slot_is_none(alpine: fakes.FakeHost) -> None:
    one, other = make(alpine, "one"), make(alpine, "two")
    path(alpine, one, "manifest").write_bytes(path(alpine, other, "manifest").read_bytes())
    assert store.look(alpine.host, one).damaged == ("manifest",)


@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_damage_is_mended_by_the_same_content(alpine: fakes.FakeHost, part: str) -> None:
    name = make(alpine)
    before = {each.name for each in alpine.path(f"{SLOTS_FOLDER}/{name}").rglob("*")}
    damage(alpine, name, part)
    store.mend(alpine.host, store.look(alpine.host, name), look(alpine))
    assert store.look(alpine.host, name).whole
    # Nothing of the damaged file is left, which would take as much room.
    assert {each.name for each in alpine.path(f"{SLOTS_FOLDER}/{name}").rglob("*")} == before


def test_making_a_slot_that_is_there_mends_it(alpine: fakes.FakeHost) -> None:
    name = make(alpine)
    damage(alpine, name, "initrd")
    assert make(alpine) == name
    assert store.look(alpine.host, name).whole


def test_part_is_mended_though_apk_has_another_slot_by_now(alpine: fakes.FakeHost) -> None:
    name = make(alpine, "old")
    damage(alpine, name, "initrd")
    store.mend(alpine.host, store.look(alpine.host, name), look(alpine, "new"))
    found = store.look(alpine.host, name)
    assert found.whole
    assert found.manifest is not None
    assert found.manifest.cmdline == "old"


# --- What stands in the way ------------------------------------------------------------------


def codes(error: pytest.ExceptionInfo[ReasonError]) -> str:
    return error.value.reason.code


@pytest.mark.parametrize("source", ["/boot/vmlinuz-virt", "/boot/initramfs-virt"])
@pytest.mark.parametrize("gone", [False, True])
def test_file_that_changes_meanwhile_makes_no_slot(
    alpine: fakes.FakeHost, source: str, gone: bool
) -> None:
    made_of = look(alpine)
    alpine.remove(source)
    if not gone:
        alpine.write(source, "another")
    with pytest.raises(ReasonError) as refusal:
        store.make(alpine.host, made_of)
    assert codes(refusal) == "slot_source_changed"
    assert store.listed(alpine.host) == ()
    assert os.listdir(alpine.path(SLOTS_FOLDER)) == []


def room(monkeypatch: pytest.MonkeyPatch, free: int, flags: int = 0) -> None:
    class Room:
        f_flag, f_frsize, f_blocks, f_bfree = flags, 1, 1 << 30, free

    monkeypatch.setattr(os, "statvfs", lambda _path: Room)


@pytest.mark.parametrize(
    ("have", "keep", "wanted"),
    [(0, 2, 3), (0, 1, 2), (1, 2, 2), (2, 2, 1), (3, 2, 1), (0, 0, 1)],
)
def test_there_must_be_room_for_all_that_are_kept_and_one_more(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, have: int, keep: int, wanted: int
) -> None:
    for number in range(have):
        make(alpine, str(number))
    made_of = look(alpine)
    each = made_of.manifest.size + store.ROUNDING * 4
    room(monkeypatch, each * wanted)
    store.check(alpine.host, made_of, keep)
    room(monkeypatch, each * wanted - 1)
    with pytest.raises(ReasonError) as refusal:
        store.check(alpine.host, made_of, keep)
    assert codes(refusal) == "space_low"
    assert f"has {each * wanted - 1} bytes free" in str(refusal.value)
    assert f"may need {each * wanted}." in str(refusal.value)


def test_file_system_that_is_read_only_takes_no_slot(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_of = look(alpine)
    room(monkeypatch, 1 << 30, os.ST_RDONLY)
    with pytest.raises(ReasonError) as refusal:
        store.check(alpine.host, made_of)
    assert codes(refusal) == "boot_config_unwritable"


def test_boot_that_is_not_mounted_takes_no_slot(alpine: fakes.FakeHost) -> None:
    made_of = look(alpine)
    alpine.write("/etc/fstab", "/dev/vda1 /boot ext4 rw 0 2\n")
    with pytest.raises(ReasonError) as refusal:
        store.check(alpine.host, made_of)
    assert codes(refusal) == "boot_not_mounted"


def test_boot_that_is_gone_is_told(alpine: fakes.FakeHost) -> None:
    made_of = look(alpine)
    alpine.path("/boot").rename(alpine.path("/elsewhere"))
    with pytest.raises(ReasonError) as refusal:
        store.check(alpine.host, made_of)
    assert codes(refusal) == "boot_config_unwritable"


def test_disk_that_is_full_leaves_nothing(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_of = look(alpine)

    def fail(*_arguments: t.Any, **_options: t.Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(draft, "make", fail)
    with pytest.raises(ReasonError) as refusal:
        store.make(alpine.host, made_of)
    assert codes(refusal) == "boot_config_unwritable"
    assert "No space left" in str(refusal.value)
    assert alpine.host.names(SLOTS_FOLDER) == ()


# --- Forgetting ------------------------------------------------------------------------------


def test_slot_is_forgotten_with_its_modules(alpine: fakes.FakeHost) -> None:
    one, other = make(alpine, "one"), make(alpine, "two")
    store.forget(alpine.host, [one])
    assert [slot.id for slot in store.listed(alpine.host)] == [other]
    assert store.look(alpine.host, other).whole
    assert store.parked(alpine.host) == {other}
    store.forget(alpine.host, [one, other])
    store.clear(alpine.host)
    assert not alpine.path(SLOTS_FOLDER).exists()
    assert not alpine.path("/lib/alpinefleet-kexec").exists()
    assert alpine.path(f"/lib/modules/{fakes.RELEASE}/extra/zfs.ko.gz").exists()


def test_what_a_killed_run_left_is_tidied(alpine: fakes.FakeHost) -> None:
    name = make(alpine)
    for folder in (SLOTS_FOLDER, "/lib/alpinefleet-kexec"):
        alpine.write(f"{folder}/.draft-{name}/half", "half")
    store.tidy(alpine.host)
    assert os.listdir(alpine.path(SLOTS_FOLDER)) == [name]
    assert os.listdir(alpine.path("/lib/alpinefleet-kexec")) == [name]


def test_facts_of_a_slot_are_complete_though_it_is_damaged() -> None:
    assert slots.slot().as_dict().keys() == store.missing("x").as_dict().keys()
    told = slots.slot("a", "linux").as_dict()
    assert (told["whole"], told["damaged"], told["release"]) == (False, ["linux"], fakes.RELEASE)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernel_slot as a whole, on a host that boots by update-extlinux, GRUB or limine."""

from __future__ import annotations

import os
import shutil
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.slot_places import (
    SLOTS_FOLDER,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import (
    ensure,
    situation,
    store,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.plan import SlotWish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import journal
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial.journal import (
    Journal,
    Refusal,
    Trial,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slot_menus, slots
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import Machine, prefixes

NEW = "6.18.57-0-virt"
PARK = "/lib/alpinefleet-kexec"
LOOK, PRESENT, ABSENT = SlotWish(), SlotWish("present"), SlotWish("absent")
TIME = 1_790_000_000
LOADERS = ("extlinux", "grub", "limine")


@pytest.fixture(params=LOADERS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return slots.machine(tmp_path / "host", request.param)


@pytest.fixture
def extlinux(tmp_path: Path) -> Machine:
    return slots.machine(tmp_path / "host", "extlinux")


def run(
    machine: Machine, wish: SlotWish = PRESENT, *, check_mode: bool = False
) -> dict[str, t.Any]:
    return ensure.ensure(machine.host, wish, check_mode=check_mode, now=lambda: TIME)


def refused(machine: Machine, wish: SlotWish, *, check_mode: bool = False) -> str:
    with pytest.raises(ReasonError) as refusal:
        run(machine, wish, check_mode=check_mode)
    return refusal.value.reason.code


def upgrade(machine: Machine, release: str = NEW) -> None:
    """What apk does: new files in place of the old ones, and a menu made anew unless that is off."""
    for old in machine.path("/lib/modules").iterdir():
        shutil.rmtree(old)
    slots.install(machine.root, release)


def commit(machine: Machine, release: str = NEW) -> str:
    """Upgrade, and make what apk has then the default, as a trial does that went well."""
    upgrade(machine, release)
    seen = situation.see(machine.host)
    assert seen.candidate is not None
    name = store.make(machine.host, seen.candidate)
    assert ensure.make_default(machine.host, name, keep=2)["changed"]
    return name


def boots(machine: Machine) -> str | None:
    """The slot that firmware boots, which must be whole."""
    label = machine.boots().partition("alpinefleet-kexec-")[2] or None
    assert label is None or store.look(machine.host, label).whole
    return label


def codes(result: dict[str, t.Any]) -> list[str]:
    return [each["code"] for each in result["reasons"]]


def keep(machine: Machine, found: Journal) -> None:
    journal.write(machine.host, found)


# --- A look --------------------------------------------------------------------------------


def test_look_tells_what_apk_has_and_changes_nothing(machine: Machine) -> None:
    before = machine.files()
    found = run(machine, LOOK)
    assert (found["changed"], found["good"], found["previous"], found["slots"]) == (
        False,
        None,
        None,
        [],
    )
    assert found["boot_loader"] == machine.loader
    assert found["candidate"]["release"] == fakes.RELEASE
    assert (found["candidate"]["differs"], found["candidate"]["because"]) == (True, [])
    assert found["reasons"] == []
    assert machine.files() == before


def test_look_fails_for_no_boot_loader(machine: Machine) -> None:
    run(machine)
    machine.path(machine.menu).unlink()
    machine.path(machine.settings).unlink(missing_ok=True)
    found = run(machine, LOOK)
    assert found["boot_loader"] is None
    assert [slot["whole"] for slot in found["slots"]] == [True]
    assert codes(found)


def test_look_tells_a_torn_journal(machine: Machine) -> None:
    machine.write(notes.TRIAL, '{"version": 1')
    assert codes(run(machine, LOOK)) == ["trial_not_understood"]


def test_look_tells_what_has_no_kernel_of_the_flavour(machine: Machine) -> None:
    found = run(machine, SlotWish(flavour="lts"))
    assert found["candidate"] is None
    assert [(each["code"], each["blocks"]) for each in found["reasons"]] == [
        ("flavour_unknown", "nothing")
    ]


# --- The first slot ------------------------------------------------------------------------


def test_first_slot_is_what_boots_from_then_on(machine: Machine) -> None:
    found = run(machine)
    good = found["good"]
    assert found["changed"]
    assert boots(machine) == good == found["candidate"]["id"]
    assert (found["candidate"]["differs"], found["previous"]) == (False, None)
    machine.remake()
    assert boots(machine) == good
    before = machine.files()
    again = run(machine)
    assert (again["changed"], again["good"]) == (False, good)
    assert machine.files() == before


def test_check_mode_foretells_and_changes_nothing(machine: Machine) -> None:
    before = machine.files()
    foretold = run(machine, check_mode=True)
    assert machine.files() == before
    done = run(machine)
    assert foretold["changed"]
    assert foretold["good"] == done["good"]
    assert foretold["diff"] == done["diff"]


def test_upgrade_changes_nothing_of_what_boots(machine: Machine) -> None:
    good = run(machine)["good"]
    upgrade(machine)
    machine.remake()
    assert boots(machine) == good
    found = run(machine)
    assert (found["changed"], found["good"]) == (False, good)
    assert found["candidate"]["differs"]
    assert found["candidate"]["because"] == ["kernel", "initramfs", "modules"]
    assert found["candidate"]["refused"] is None


def test_pair_that_does_not_fit_makes_no_slot(machine: Machine) -> None:
    machine.write("/boot/initramfs-virt", fakes.initramfs(fakes.OLD_RELEASE))
    before = machine.files()
    assert refused(machine, PRESENT) == "initramfs_mismatch"
    assert refused(machine, PRESENT, check_mode=True) == "initramfs_mismatch"
    assert machine.files() == before


def test_full_boot_is_told_before_anything_is_written(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ROUNDING", 1 << 60)
    before = machine.files()
    assert refused(machine, PRESENT) == "space_low"
    assert machine.files() == before


def test_other_run_at_work_is_told(machine: Machine) -> None:
    with run_directory(machine.host):
        assert refused(machine, PRESENT) == "boot_config_unwritable"


@pytest.mark.parametrize("service", situation.GUARDIANS)
def test_host_without_the_services_of_slots_gets_none(machine: Machine, service: str) -> None:
    machine.path(f"/etc/runlevels/sysinit/{service}").unlink()
    before = machine.files()
    for check_mode in (True, False):
        assert refused(machine, PRESENT, check_mode=check_mode) == "slots_unguarded"
    assert machine.files() == before
    assert run(machine, SlotWish("present", force=True))["changed"]
    # One that has slots is kept able to boot.
    assert not run(machine)["changed"]


@pytest.mark.parametrize("wish", [PRESENT, SlotWish("present", flavour="virt")], ids=str)
@pytest.mark.parametrize("check_mode", [True, False])
def test_menu_that_boots_what_was_booted_last_gets_no_slot(
    tmp_path: Path, wish: SlotWish, check_mode: bool
) -> None:
    machine = slots.machine(tmp_path / "host", "limine")
    machine.edit(machine.menu, "timeout: 3", "remember_last_entry: yes")
    before = machine.files()
    assert refused(machine, wish, check_mode=check_mode) == "boot_loader_not_understood"
    assert machine.files() == before


@pytest.mark.parametrize(
    "menu", [slot_menus.LIMINE_FLAT, f"default_entry: 1\n{slot_menus.LIMINE_FLAT}"]
)
def test_menu_of_limine_without_directories(tmp_path: Path, menu: str) -> None:
    machine = slots.machine(tmp_path / "host", "limine")
    machine.write(machine.menu, menu)
    one = run(machine)["good"]
    assert boots(machine) == one
    two = commit(machine)
    assert (boots(machine), run(machine)["previous"]) == (two, one)
    assert run(machine, SlotWish("present", good=one))["good"] == boots(machine) == one
    assert not run(machine)["changed"]
    assert run(machine, SlotWish("absent", force=True))["changed"]
    assert machine.read(machine.menu) == menu


# --- Slots in turn -------------------------------------------------------------------------


def test_commit_keeps_the_slot_before_and_forgets_the_one_before_that(machine: Machine) -> None:
    one = run(machine)["good"]
    two = commit(machine)
    found = run(machine)
    assert (found["good"], found["previous"]) == (two, one)
    three = commit(machine, "6.18.58-0-virt")
    found = run(machine)
    assert (boots(machine), found["good"], found["previous"]) == (three, three, two)
    # What may name the first one, such as a menu before the last change, is gone after this.
    machine.remake()
    for path in machine.path("/boot").rglob("*"):
        if path.name.endswith((".old", ".boot-parameter-old", ".backup")):
            path.unlink()
    for path in machine.path("/etc").rglob(".*.boot-parameter-old"):
        path.unlink()
    assert run(machine)["changed"]
    assert {slot.id for slot in store.listed(machine.host)} == {two, three}
    assert store.parked(machine.host) == {two, three}
    assert not run(machine)["changed"]


def test_what_a_file_names_is_never_forgotten(machine: Machine) -> None:
    for number in range(58, 63):
        run(machine)
        commit(machine, f"6.18.{number}-0-virt")
        named = look(machine.host).named
        assert named <= {slot.id for slot in store.listed(machine.host)}


def test_slot_that_is_not_whole_does_not_become_the_default(machine: Machine) -> None:
    good = run(machine)["good"]
    two = commit(machine)
    machine.write(store.path_of(good, "linux"), "broken")
    for name in (good, slots.slot().id):
        with pytest.raises(ReasonError) as refusal:
            ensure.make_default(machine.host, name, keep=2)
        assert refusal.value.reason.code == "slot_damaged"
    assert boots(machine) == two


def test_operator_goes_back_and_no_run_goes_forward(machine: Machine) -> None:
    one = run(machine)["good"]
    two = commit(machine)
    found = run(machine, SlotWish("present", good=one))
    assert (found["changed"], found["good"], found["previous"]) == (True, one, two)
    assert found["candidate"]["refused"]["cause"] == "operator"
    assert boots(machine) == one
    for wish in (SlotWish("present", good=one), PRESENT):
        again = run(machine, wish)
        assert (again["changed"], again["good"]) == (False, one)
    # Nothing but a wish takes the build.
    assert refused(machine, ABSENT) == "build_refused"
    assert run(machine, SlotWish("absent", force=True))["changed"]
    assert boots(machine) is None


def test_operator_in_check_mode_changes_nothing(machine: Machine) -> None:
    one = run(machine)["good"]
    two = commit(machine)
    before = machine.files()
    found = run(machine, SlotWish("present", good=one), check_mode=True)
    assert (found["changed"], found["good"], found["previous"]) == (True, one, two)
    assert machine.files() == before


# --- Damage --------------------------------------------------------------------------------


def damage(machine: Machine, name: str) -> None:
    machine.write(store.path_of(name, "initrd"), "\0" * 80)
    shutil.rmtree(machine.path(f"{PARK}/{name}"))


def test_damage_of_what_boots_is_told_by_a_look(machine: Machine) -> None:
    good = run(machine)["good"]
    damage(machine, good)
    found = run(machine, LOOK)
    (told,) = found["reasons"]
    assert (told["code"], told["blocks"]) == ("slot_damaged", "reboot")
    assert found["slots"][0]["damaged"] == ["initrd", "modules"]


def test_missing_slot_is_told_by_a_look(machine: Machine) -> None:
    good = run(machine)["good"]
    shutil.rmtree(machine.path(f"{SLOTS_FOLDER}/{good}"))
    assert codes(run(machine, LOOK)) == ["slot_damaged"]


def test_damage_is_mended_where_apk_has_the_same(machine: Machine) -> None:
    good = run(machine)["good"]
    damage(machine, good)
    foretold = run(machine, check_mode=True)
    assert (foretold["changed"], foretold["repaired"]) == (True, "files")
    found = run(machine)
    assert (found["changed"], found["good"], found["repaired"]) == (True, good, "files")
    assert [(each["code"], each["blocks"]) for each in found["reasons"]] == [
        ("slot_damaged", "nothing")
    ]
    assert boots(machine) == good
    assert not run(machine)["changed"]


def test_lost_slot_is_made_anew_where_apk_has_the_same(machine: Machine) -> None:
    good = run(machine)["good"]
    shutil.rmtree(machine.path(f"{SLOTS_FOLDER}/{good}"))
    found = run(machine)
    assert (found["good"], found["repaired"]) == (good, "files")
    assert boots(machine) == good


def test_slot_before_takes_the_place_of_a_damaged_one(machine: Machine) -> None:
    one = run(machine)["good"]
    two = commit(machine)
    damage(machine, two)
    upgrade(machine, "6.18.58-0-virt")
    found = run(machine)
    assert (found["good"], found["repaired"]) == (one, "previous")
    assert boots(machine) == one
    assert run(machine)["good"] == one


def test_what_apk_has_takes_the_place_of_the_only_slot(machine: Machine) -> None:
    good = run(machine)["good"]
    damage(machine, good)
    upgrade(machine)
    found = run(machine)
    assert found["repaired"] == "new"
    assert boots(machine) == found["good"] == found["candidate"]["id"] != good


def test_refused_build_takes_no_place_without_force(machine: Machine) -> None:
    good = run(machine)["good"]
    upgrade(machine)
    build = run(machine, LOOK)["candidate"]["id"]
    keep(machine, Journal().refusing(Refusal(build, "panic", "", TIME)))
    damage(machine, good)
    assert refused(machine, PRESENT) == "slot_damaged"
    assert run(machine, SlotWish("present", force=True))["good"] == build


# --- Taken back ----------------------------------------------------------------------------


def test_all_is_taken_back_byte_for_byte(machine: Machine) -> None:
    before = machine.files()
    run(machine)
    foretold = run(machine, ABSENT, check_mode=True)
    assert foretold["changed"]
    found = run(machine, ABSENT)
    assert (found["changed"], found["good"], found["slots"]) == (True, None, [])
    assert boots(machine) is None
    after = machine.files()
    assert {path: after[path] for path in before} == before
    others = ("run/", "usr/share/grub/")
    assert [path for path in after if path not in before and not path.startswith(others)] == []
    assert not machine.path(SLOTS_FOLDER).exists()
    assert not machine.path(PARK).exists()
    assert not run(machine, ABSENT)["changed"]


def test_journal_goes_with_the_slots(machine: Machine) -> None:
    run(machine)
    keep(machine, Journal())
    run(machine, ABSENT)
    assert not machine.path(notes.TRIAL).exists()
    assert not machine.path(notes.TRIAL_END).exists()


def test_nothing_is_taken_back_while_a_kernel_is_on_trial(machine: Machine) -> None:
    good = run(machine)["good"]
    trial = Trial("r1", "armed", slots.slot().id, good, fakes.BOOT_ID, 600, TIME)
    keep(machine, Journal(trial))
    before = machine.files()
    assert refused(machine, ABSENT) == "slot_in_use"
    assert machine.files() == before
    assert run(machine, LOOK)["on_trial"] == trial.slot


def test_nothing_is_taken_back_for_a_pair_that_does_not_fit(machine: Machine) -> None:
    good = run(machine)["good"]
    machine.write("/boot/initramfs-virt", fakes.initramfs(fakes.OLD_RELEASE))
    assert refused(machine, ABSENT) == "initramfs_mismatch"
    assert boots(machine) == good


# --- A cut at any write --------------------------------------------------------------------


def arranged(machine: Machine, what: str) -> t.Callable[[], object]:
    """What is cut off, on a host that is ready for it."""
    if what == "present":
        return lambda: run(machine)
    one = run(machine)["good"]
    if what == "good":
        commit(machine)
    acts: dict[str, t.Callable[[], object]] = {
        "commit": lambda: commit(machine),
        "good": lambda: run(machine, SlotWish("present", good=one)),
        "absent": lambda: run(machine, ABSENT),
    }
    return acts[what]


@pytest.mark.parametrize("what", ["present", "commit", "good", "absent"])
def test_cut_between_two_files_boots_what_is_whole_and_the_next_run_ends_it(
    machine: Machine, tmp_path: Path, what: str
) -> None:
    act = arranged(machine, what)
    old = boots(machine)
    cuts = prefixes(machine, tmp_path / "cuts", act)
    assert cuts
    wish = ABSENT if what == "absent" else PRESENT
    for cut in cuts:
        for _again in range(2):
            assert boots(cut) in (old, boots(machine))
            cut.remake()
        ended = run(cut, wish)
        assert boots(cut) == ended["good"]
        assert look(cut.host).agrees
        assert not run(cut, wish)["changed"]


# --- Options -------------------------------------------------------------------------------

OPTIONS = {"state": None, "flavour": None, "good": None, "keep": 2, "force": False}


def test_options_are_a_wish() -> None:
    assert ensure.wish_of(OPTIONS) == LOOK
    assert ensure.wish_of({**OPTIONS, "good": "x"}) == replace(PRESENT, good="x")
    assert ensure.wish_of({**OPTIONS, "state": "absent", "force": True}) == SlotWish(
        "absent", force=True
    )


@pytest.mark.parametrize(
    "options", [{"keep": 0}, {"keep": 10}, {"good": "x", "state": "absent"}], ids=str
)
def test_options_that_do_not_fit_are_refused(options: dict[str, t.Any]) -> None:
    with pytest.raises(ReasonError) as refusal:
        ensure.wish_of({**OPTIONS, **options})
    assert refusal.value.reason.code == "parameter_invalid"


def test_hard_links_are_modules_and_nothing_else(extlinux: Machine) -> None:
    good = run(extlinux)["good"]
    kept = extlinux.path(f"{PARK}/{good}")
    assert os.stat(kept / "kernel/fs/ext4/ext4.ko.gz").st_nlink == 2
    assert os.stat(kept / "modules.dep").st_nlink == 1

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots in the files of a boot loader: put in, changed, taken out, and each write cut off."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings.grub import (
    SETTINGS,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import (
    block,
    grub,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    SlotEntry,
    label_of,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import (
    ONE,
    THREE,
    TWO,
    Machine,
    prefixes,
    slot,
    slots,
)

LOADERS = ("extlinux", "grub")
# What apk's kernels are called in the menus.
VIRT, LTS = ({"extlinux": name, "grub": f"gnulinux-{name}"} for name in ("virt", "lts"))


@pytest.fixture(params=LOADERS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "host", request.param)


def put(
    machine: Machine,
    names: t.Sequence[str],
    default: str | None,
    *,
    check_mode: bool = False,
    flavour: str | None = None,
) -> dict[str, t.Any]:
    return ensure(machine.host, slots(*names), default, check_mode=check_mode, flavour=flavour)


def take_out(machine: Machine, **options: t.Any) -> dict[str, t.Any]:
    return put(machine, [], None, **options)


def failure(machine: Machine, act: t.Callable[[], object]) -> ReasonError:
    """What an act is refused for, which leaves everything as it was."""
    before = machine.files()
    with pytest.raises(ReasonError) as caught:
        act()
    assert machine.files() == before
    return caught.value


# --- Where everything goes well ------------------------------------------------------------


def test_default_is_the_slot_and_every_slot_has_an_entry(machine: Machine) -> None:
    result = put(machine, [ONE, TWO], TWO)
    assert result["changed"]
    assert machine.boots() == label_of(TWO)
    menus = look(machine.host)
    assert (menus.default, menus.configured, menus.agrees) == (TWO, TWO, True)
    assert menus.named == {ONE, TWO}
    machine.remake()
    assert machine.boots() == label_of(TWO)


def test_kernel_learns_which_slot_it_is(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    assert f"alpinefleet_kexec.slot={ONE}" in (machine.read(machine.menu) or "")


def test_second_time_nothing_changes(machine: Machine) -> None:
    put(machine, [ONE, TWO], TWO)
    before = machine.files()
    result = put(machine, [TWO, ONE], TWO)
    assert (result["changed"], result["diff"]) == (False, [])
    assert machine.files() == before


def test_check_mode_says_the_same_and_changes_nothing(machine: Machine) -> None:
    before = machine.files()
    said = put(machine, [ONE], ONE, check_mode=True)
    assert machine.files() == before
    done = put(machine, [ONE], ONE)
    assert said == done
    assert {each["after_header"] for each in done["diff"]} >= {machine.own, machine.settings}


def test_default_moves_to_another_slot(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    put(machine, [ONE, TWO], TWO)
    put(machine, [TWO, THREE], THREE)
    assert machine.boots() == label_of(THREE)
    assert look(machine.host).default == THREE
    assert ONE not in (machine.read(machine.own) or "")


@pytest.mark.parametrize("text", ["", "a=1", "a=1\n", "a=1\n\n", "a='1\n2'\n", "a=1\r\n"])
def test_taken_out_everything_is_as_it_was(machine: Machine, text: str) -> None:
    machine.write(machine.settings, (machine.read(machine.settings) or "") + text)
    before = machine.files()
    boots = machine.boots()
    for names in ([ONE], [ONE, TWO]):
        put(machine, names, names[-1])
    assert take_out(machine)["changed"]
    left = {name: value for name, value in machine.files().items() if "grub/grub-mk" not in name}
    assert left == before
    assert machine.boots() == boots
    assert not take_out(machine)["changed"]


def test_slots_that_only_backups_name_are_told_apart(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    take_out(machine)
    menus = look(machine.host)
    assert menus.named == menus.before == {ONE}
    assert (menus.default, menus.configured, menus.agrees) == (None, None, True)


def test_settings_that_were_not_there_are_gone_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    put(machine, [ONE], ONE)
    assert machine.path(grub.TRIGGER).exists()
    take_out(machine)
    assert not machine.path(grub.TRIGGER).exists()
    assert not machine.path(grub.SCRIPT).exists()


def test_trigger_of_apk_makes_no_menu(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    where = {"extlinux": machine.settings, "grub": grub.TRIGGER}[machine.loader]
    assert "\ndisable_trigger=1\n" in (machine.read(where) or "")


def test_script_may_be_run(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    put(machine, [ONE], ONE)
    assert machine.path(grub.SCRIPT).stat().st_mode & 0o777 == 0o755


# --- What apk's kernels do -----------------------------------------------------------------


def test_entry_of_apk_is_told_by_its_flavour(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    for flavour, label in (("virt", VIRT), ("lts", LTS)):
        entry = look(machine.host, flavour).apks
        assert entry is not None
        assert entry.name == label[machine.loader]
    assert look(machine.host, "stable").apks is None


@pytest.mark.parametrize("flavour", ["virt", "lts"])
def test_kernel_of_the_flavour_is_the_default_of_apk_again(tmp_path: Path, flavour: str) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    put(machine, [ONE], ONE)
    take_out(machine, flavour=flavour)
    assert machine.boots() == flavour
    assert not take_out(machine, flavour=flavour)["changed"]


@pytest.mark.parametrize("flavour", ["virt", "lts"])
@pytest.mark.parametrize("default", ["", "GRUB_DEFAULT=0\n", "GRUB_DEFAULT=gnulinux-virt\n"])
def test_grub_boots_the_flavour_again(tmp_path: Path, flavour: str, default: str) -> None:
    machine = Machine(tmp_path / "host", "grub")
    machine.write(SETTINGS, default)
    machine.remake()
    put(machine, [ONE], ONE)
    take_out(machine, flavour=flavour)
    assert machine.boots() == f"gnulinux-{flavour}"


def test_default_of_another_flavour_by_a_number_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    put(machine, [ONE], ONE)
    error = failure(machine, lambda: take_out(machine, flavour="lts"))
    assert error.reason.code == "boot_menu_not_regenerated"
    assert "vmlinuz-lts" in error.reason.message
    assert machine.boots() == label_of(ONE)


# --- The power fails between two writes -----------------------------------------------------

STEPS: tuple[tuple[str, list[str], str | None, list[str], str | None], ...] = (
    ("in", [], None, [ONE], ONE),
    ("another", [ONE], ONE, [ONE, TWO], TWO),
    ("another, and one goes", [ONE], ONE, [TWO], TWO),
    ("back", [ONE, TWO], TWO, [ONE, TWO], ONE),
    ("out", [ONE, TWO], TWO, [], None),
)


@pytest.mark.parametrize(("names", "default", "wanted", "new"), [s[1:] for s in STEPS])
def test_cut_after_each_write_leaves_the_old_or_the_new_default(
    machine: Machine,
    tmp_path: Path,
    names: list[str],
    default: str | None,
    wanted: list[str],
    new: str | None,
) -> None:
    put(machine, names, default)
    old_boots = machine.boots()
    cut = prefixes(machine, tmp_path / "cut", lambda: put(machine, wanted, new))
    new_boots = machine.boots()
    assert len(cut) >= 1
    assert old_boots != new_boots
    for each in cut:
        assert each.boots() in (old_boots, new_boots)
        by_hand = each.copy(each.root.with_name(f"{each.root.name}-hand"))
        by_hand.remake()
        assert by_hand.boots() in (old_boots, new_boots)
        for half in (each, by_hand):
            put(half, wanted, new)
            assert half.boots() == new_boots
            assert look(half.host).agrees


@pytest.mark.parametrize(("names", "default", "wanted", "new"), [s[1:] for s in STEPS])
def test_cut_can_be_taken_back_byte_for_byte(
    machine: Machine,
    tmp_path: Path,
    names: list[str],
    default: str | None,
    wanted: list[str],
    new: str | None,
) -> None:
    before = machine.files()
    put(machine, names, default)
    for each in prefixes(machine, tmp_path / "cut", lambda: put(machine, wanted, new)):
        take_out(each)
        left = {name: value for name, value in each.files().items() if name in before}
        assert left == before


def test_look_sees_that_a_change_was_cut_off(machine: Machine, tmp_path: Path) -> None:
    put(machine, [ONE, TWO], ONE)
    cut = prefixes(machine, tmp_path / "cut", lambda: put(machine, [ONE, TWO], TWO))
    settings = {"extlinux": 0, "grub": 1}[machine.loader]
    menus = look(cut[settings].host)
    assert (menus.default, menus.configured, menus.agrees) == (ONE, TWO, False)
    assert look(machine.host).agrees


# --- Commands that fail ---------------------------------------------------------------------


def test_menu_that_cannot_be_made_leaves_everything_as_it_was(machine: Machine) -> None:
    command = {"extlinux": "/sbin/update-extlinux", "grub": "/sbin/grub-mkconfig"}
    machine.runner.on(command[machine.loader], rc=1, stderr="no space")
    error = failure(machine, lambda: put(machine, [ONE], ONE))
    assert error.reason.code == "boot_menu_not_regenerated"
    assert look(machine.host).default is None


def test_menu_without_the_default_gives_way_to_the_old_one(machine: Machine) -> None:
    boots = machine.boots()
    command = {"extlinux": "/sbin/update-extlinux", "grub": "/sbin/grub-mkconfig"}
    machine.runner.on(command[machine.loader])
    machine.write("/boot/grub/.grub.cfg.boot-parameter-new", machine.read(machine.menu) or "")
    with pytest.raises(ReasonError):
        put(machine, [ONE], ONE)
    assert machine.boots() == boots
    assert not machine.path(machine.own).exists()


def test_script_that_failed_to_change_keeps_its_mode(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    put(machine, [ONE], ONE)
    machine.path(grub.SCRIPT).chmod(0o640)
    machine.runner.on("/sbin/grub-mkconfig", rc=1)
    failure(machine, lambda: put(machine, [ONE, TWO], TWO))
    failure(machine, lambda: take_out(machine))


# --- What people have changed by hand -------------------------------------------------------


@pytest.mark.parametrize("names", [[ONE], []])
def test_menu_with_two_defaults_is_made_anew(tmp_path: Path, names: list[str]) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    put(machine, [ONE], ONE)
    machine.edit(machine.menu, "LABEL lts\n", "LABEL lts\n  MENU DEFAULT\n")
    menus = look(machine.host)
    assert (menus.default, menus.agrees) == (None, False)
    assert menus.unclear is not None
    assert menus.named == {ONE}
    put(machine, names, names[0] if names else None)
    assert machine.boots() == (label_of(ONE) if names else "virt")


@pytest.mark.parametrize("names", [[ONE], []])
def test_script_that_may_not_be_run_is_mended_or_taken_out(
    tmp_path: Path, names: list[str]
) -> None:
    machine = Machine(tmp_path / "host", "grub")
    before = machine.boots()
    put(machine, [ONE], ONE)
    machine.path(grub.SCRIPT).chmod(0o644)
    machine.remake()
    assert not look(machine.host).agrees
    assert put(machine, names, names[0] if names else None)["changed"]
    assert machine.boots() == (label_of(ONE) if names else before)
    assert look(machine.host).agrees


def test_default_that_somebody_set_behind_ours_gives_way(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    line = {"extlinux": "default=lts\n", "grub": "GRUB_DEFAULT=0\n"}[machine.loader]
    machine.write(machine.settings, (machine.read(machine.settings) or "") + line)
    assert not look(machine.host).agrees
    assert put(machine, [ONE], ONE)["changed"]
    assert machine.boots() == label_of(ONE)
    assert (machine.read(machine.settings) or "").endswith(f"{block.END}\n")
    take_out(machine)
    assert (machine.read(machine.settings) or "").endswith(line)


@pytest.mark.parametrize("lost", [block.BEGIN, block.END])
def test_block_that_lost_a_mark_is_known_by_its_lines(machine: Machine, lost: str) -> None:
    before = machine.files()
    put(machine, [ONE], ONE)
    machine.edit(machine.settings, f"{lost}\n", "")
    assert not look(machine.host).agrees
    take_out(machine)
    assert machine.files()[machine.settings[1:]] == before[machine.settings[1:]]


def test_block_that_is_there_twice_goes_twice(machine: Machine) -> None:
    text = machine.read(machine.settings) or ""
    put(machine, [ONE], ONE)
    ours = (machine.read(machine.settings) or "")[len(text) :]
    machine.write(machine.settings, text + ours + "own=1\n" + ours)
    take_out(machine)
    assert machine.read(machine.settings) == f"{text}own=1\n"


def test_line_of_which_nobody_knows_whose_it_is_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    put(machine, [ONE], ONE)
    machine.edit(machine.settings, f"{block.END}\n", "")
    machine.edit(machine.settings, "disable_trigger=1\n", "own=1\ndisable_trigger=1\n")
    error = failure(machine, lambda: take_out(machine))
    assert error.reason.code == "slots_edited"
    assert f"line 8 of {machine.settings}" in error.reason.message
    menus = look(machine.host)
    assert (menus.default, menus.agrees, menus.apks) == (ONE, False, None)


def test_line_of_somebody_inside_the_block_stays(machine: Machine) -> None:
    text = machine.read(machine.settings) or ""
    put(machine, [ONE], ONE)
    machine.edit(machine.settings, block.END, f"own=1\n{block.END}")
    take_out(machine)
    assert machine.read(machine.settings) == f"{text}own=1\n"


@pytest.mark.parametrize("text", ["LABEL x\n", "INCLUDE other.cfg\n", "", "slot 'odd' '\n"])
def test_file_of_ours_is_written_anew_whatever_it_says(machine: Machine, text: str) -> None:
    put(machine, [ONE], ONE)
    machine.write(machine.own, text)
    assert not look(machine.host).agrees
    put(machine, [ONE], ONE)
    assert machine.boots() == label_of(ONE)
    assert look(machine.host).agrees


def test_file_of_ours_that_was_removed_is_made_again(machine: Machine) -> None:
    put(machine, [ONE], ONE)
    machine.path(machine.own).unlink()
    menus = look(machine.host)
    assert (menus.default, menus.configured, menus.agrees) == (ONE, None, False)
    put(machine, [ONE], ONE)
    machine.remake()
    assert machine.boots() == label_of(ONE)


def test_tool_that_may_not_write_the_menu_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "extlinux")
    machine.write(machine.settings, "overwrite=0\nroot=UUID=1-2\n")
    error = failure(machine, lambda: put(machine, [ONE], ONE))
    assert error.reason.code == "boot_menu_not_regenerated"


# --- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "default"),
    [
        pytest.param([slot("odd")], "odd", id="no name of a slot"),
        pytest.param([slot(ONE), slot(ONE)], ONE, id="twice"),
        pytest.param([slot(ONE)], TWO, id="another default"),
        pytest.param([slot(ONE)], None, id="no default"),
        pytest.param([], ONE, id="no entry"),
        pytest.param([slot(ONE, title="It's")], ONE, id="title"),
        pytest.param([slot(ONE, kernel="/boot/a b")], ONE, id="path"),
        pytest.param([slot(ONE, kernel="/boot/../x")], ONE, id="way out"),
        pytest.param([slot(ONE, cmdline="a\nb")], ONE, id="line break"),
        pytest.param([slot(ONE, cmdline='a="b')], ONE, id="quote"),
    ],
)
def test_entry_that_no_menu_can_have(
    machine: Machine, entries: list[SlotEntry], default: str | None
) -> None:
    error = failure(machine, lambda: ensure(machine.host, entries, default, check_mode=False))
    assert error.reason.code == "slot_invalid"


def test_character_that_grub_would_replace(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "host", "grub")
    entries = [slot(ONE, cmdline="a=$b")]
    error = failure(machine, lambda: ensure(machine.host, entries, ONE, check_mode=False))
    assert "'$'" in error.reason.message


def test_slot_on_another_file_system_is_refused(machine: Machine) -> None:
    machine.write(
        "/proc/mounts",
        "/dev/a / ext4 rw 0 0\n/dev/b /boot ext4 rw 0 0\n"
        "/dev/c /boot/alpinefleet-kexec ext4 rw 0 0\n",
    )
    error = failure(machine, lambda: put(machine, [ONE], ONE))
    assert error.reason.code == "slots_unsupported"


def test_boot_on_its_own_file_system_and_vfat(machine: Machine) -> None:
    machine.write("/proc/mounts", "/dev/a / ext4 rw 0 0\n/dev/b /boot vfat rw 0 0\n")
    if machine.loader == "grub":
        # What grub-mkrelpath says then.
        machine.strip = "/boot"
    put(machine, [ONE, TWO], TWO)
    assert look(machine.host).default == TWO


@pytest.mark.parametrize(
    ("path", "text", "loader"),
    [
        ("/boot/startup.nsh", "vmlinuz-virt initrd=initramfs-virt\n", "efi_stub"),
        ("/etc/zipl.conf", '[a]\nparameters="quiet"\n', "zipl"),
        ("/media/sda1/boot/syslinux/syslinux.cfg", fakes.extlinux("quiet"), "syslinux"),
    ],
)
def test_boot_loader_without_slots_is_named(
    alpine: fakes.FakeHost, path: str, text: str, loader: str
) -> None:
    alpine.remove("/boot/extlinux.conf")
    alpine.write(path, text)
    alpine.write("/proc/sys/kernel/bootloader_type", "52\n" if "linux" in loader else "0\n")
    with pytest.raises(ReasonError) as caught:
        look(alpine.host)
    assert caught.value.reason.code == "slots_unsupported"
    assert f"the boot loader {loader}" in caught.value.reason.message

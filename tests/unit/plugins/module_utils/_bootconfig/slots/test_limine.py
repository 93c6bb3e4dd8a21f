# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slots in limine.conf: before all entries, and all that others wrote as it was."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    editors,
    parameter,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import Options
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import (
    block,
    configured,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.ensure import (
    ensure,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    label_of,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import look
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loaders.limine import (
    default_entry,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.slot_menus import (
    LIMINE,
    ONE,
    THREE,
    TWO,
    Machine,
    limine_boots,
    slot,
    slots,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LTS = """\
/Alpine Linux lts
    protocol: linux
    path: boot():/boot/vmlinuz-lts#ca6914d2
    kernel_cmdline: root=UUID=1 quiet
    module_path: boot():/boot/initramfs-lts
"""
VIRT = (
    LTS.replace("lts", "virt").replace("kernel_cmdline", "CMDLINE").replace("path", "kernel_path")
)
VIRT = VIRT.replace("module_kernel_path", "module_path")
FLAT = f"timeout: 3\n\n{LTS}\n{VIRT}"
# Each with the entry that it boots.
MENUS: dict[str, tuple[str, str]] = {
    "directories": (LIMINE, "virt"),
    "no default": (FLAT, "Alpine Linux lts"),
    "no options": (LTS + VIRT, "Alpine Linux lts"),
    "a number": (f"default_entry: 2\n{FLAT}", "Alpine Linux virt"),
    "a title": (f"default_entry: Alpine Linux virt\n{FLAT}", "Alpine Linux virt"),
    "two defaults": (f"\tDEFAULT_ENTRY:2\ndefault_entry: 1\n{FLAT}", "Alpine Linux virt"),
    "a default among entries": (f"{FLAT}default_entry: 2\n", "Alpine Linux lts"),
    "a closed directory before it": (
        f"default_entry: 2\n/More\n//{LTS}{VIRT}",
        "Alpine Linux virt",
    ),
    "an open directory before it": (f"default_entry: 2\n/+More\n/{LTS}{VIRT}", "Alpine Linux lts"),
    "what is not remembered": (f"remember_last_entry: no\n{FLAT}", "Alpine Linux lts"),
    "a macro elsewhere": (f"${{A}}=b\nwallpaper: ${{A}}\n{FLAT}", "Alpine Linux lts"),
    "an indented title": (f"timeout: 3\n  {LTS}", "Alpine Linux lts"),
    "carriage returns": (FLAT.replace("\n", "\r\n"), "Alpine Linux lts"),
    "a default and carriage returns": (
        f"default_entry: 2\n{FLAT}".replace("\n", "\r\n"),
        "Alpine Linux virt",
    ),
    "no end of the last line": (FLAT[:-1], "Alpine Linux lts"),
    "a remark": (f"# default_entry: 2\n#/x\n{FLAT}", "Alpine Linux lts"),
    "bytes of nobody": (f"# \udcff\n{FLAT}", "Alpine Linux lts"),
}
BROKEN: dict[str, tuple[str, str]] = {
    "what was booted last": (f"remember_last_entry: yes\n{FLAT}", "it boots what was booted last"),
    "a number too high": (f"default_entry: 3\n{FLAT}", "it has no entry '3'"),
    "a macro": (f"default_entry: ${{N}}\n{FLAT}", "it has no entry '${N}'"),
    "an option's name": (f"${{N}}: 2\n{FLAT}", "the name of an option is a macro"),
    "a title of a macro": (f"${{T}}=/x\n${{T}}\n{FLAT}", "a title behind '${T}'"),
    "a title behind a carriage return": (f"\r/x\n{FLAT}", "a title behind '\\r'"),
    "an EFI program": (f"/a\nprotocol: efi\n{FLAT}", "starts an EFI program"),
    "no Linux": (f"/a\nprotocol: multiboot2\n{FLAT}", "has the protocol 'multiboot2'"),
    "an entry of one firmware": (f"{FLAT}if_fw_type: uefi\n", "not always there"),
    "a directory": (f"/More\n/{LTS}", "is a directory"),
    "no directory": (f"/{LTS}{VIRT}", "is in no directory"),
    "nothing": ("timeout: 3\n", "it has no entry '1'"),
}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "host", "limine")


def put(machine: Machine, *names: str, **options: t.Any) -> dict[str, t.Any]:
    """The last one is the default."""
    options = {"check_mode": False, **options}
    return ensure(machine.host, slots(*names), names[-1] if names else None, **options)


def menu(machine: Machine) -> str:
    return machine.path(machine.menu).read_bytes().decode("utf-8", "surrogateescape")


def set_menu(machine: Machine, text: str) -> None:
    machine.write(machine.menu, text.encode("utf-8", "surrogateescape"))


def refusal(machine: Machine, act: t.Callable[[], object]) -> ReasonError:
    """What an act is refused for, which writes nothing."""
    before = machine.files()
    with pytest.raises(ReasonError) as caught:
        act()
    assert machine.files() == before
    return caught.value


# --- Where everything goes well ------------------------------------------------------------


@pytest.mark.parametrize(("text", "boots"), MENUS.values(), ids=MENUS)
def test_slots_come_and_go_byte_for_byte(machine: Machine, text: str, boots: str) -> None:
    set_menu(machine, text)
    assert put(machine, ONE, check_mode=True)["changed"]
    assert menu(machine) == text
    for names in ([ONE], [ONE, TWO], [TWO, ONE], [TWO, THREE]):
        foretold = put(machine, *names, check_mode=True)
        assert put(machine, *names) == foretold
        assert limine_boots(menu(machine)) == label_of(names[-1])
        menus = look(machine.host)
        assert (menus.default, menus.configured, menus.agrees) == (names[-1], names[-1], True)
        assert menus.named - menus.before == set(names)
        assert menus.apks is not None
        assert menus.apks.title == boots
        written = menu(machine)
        assert not put(machine, *reversed(names[:-1]), names[-1])["changed"]
        assert menu(machine) == written
    assert put(machine)["changed"]
    assert menu(machine) == text
    assert not put(machine)["changed"]


@pytest.mark.parametrize(("text", "boots"), MENUS.values(), ids=MENUS)
def test_each_line_of_others_stays(machine: Machine, text: str, boots: str) -> None:
    set_menu(machine, text)
    put(machine, ONE, TWO)
    begin, end = (menu(machine).index(mark) for mark in (block.BEGIN, f"{block.END}\n"))
    before, behind = menu(machine)[:begin], menu(machine)[end + len(block.END) + 1 :]
    assert before.replace(block.KEPT, "") + behind == text
    assert behind.lstrip(" ").startswith("/")
    assert default_entry(before.replace(block.KEPT, "") + behind).title == boots


def test_menu_as_it_is_written(machine: Machine) -> None:
    set_menu(machine, f"  Default_Entry: 2\n{FLAT}")
    ensure(machine.host, [slot(ONE, cmdline="root=UUID=1 a=#b")], ONE, check_mode=False)
    folder = f"/boot/alpinefleet-kexec/{ONE}"
    assert (
        menu(machine)
        == f"""\
# alpinefleet.kexec keeps:   Default_Entry: 2
timeout: 3

# BEGIN alpinefleet.kexec
default_entry: 1
/alpinefleet-kexec-{ONE}
  comment: Linux {ONE}
  protocol: linux
  path: boot():{folder}/linux
  module_path: boot():{folder}/initrd
  cmdline: root=UUID=1 a=#b alpinefleet_kexec.slot={ONE}
# END alpinefleet.kexec
{LTS}
{VIRT}"""
    )


def test_boot_on_a_file_system_of_its_own(machine: Machine) -> None:
    machine.write("/proc/mounts", "/dev/a / ext4 rw 0 0\n/dev/b /boot vfat rw 0 0\n")
    set_menu(machine, FLAT.replace("/boot/", "/"))
    put(machine, ONE)
    assert f"path: boot():/alpinefleet-kexec/{ONE}/linux\n" in menu(machine)
    assert look(machine.host).default == ONE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.text(st.sampled_from("/+ab:#\r\n 12"), max_size=40),
    st.sampled_from(["", "default_entry: 2\n"]),
)
def test_whatever_stands_around_stays_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, odd: str, default: str
) -> None:
    machine = Machine(tmp_path_factory.mktemp("odd") / "host", "limine")
    text = f"{default}{odd}\n{LTS}{VIRT}{odd}"
    set_menu(machine, text)
    refused: str | None = None
    try:
        put(machine, ONE)
    except ReasonError as error:
        refused = error.reason.code
    else:
        assert limine_boots(menu(machine)) == label_of(ONE)
        put(machine)
    assert refused in (None, "boot_loader_not_understood")
    assert menu(machine) == text


# --- What apk's kernels do -----------------------------------------------------------------


def test_entry_of_apk_is_told_by_its_flavour(machine: Machine) -> None:
    put(machine, ONE)
    for flavour in ("lts", "virt"):
        found = look(machine.host, flavour).apks
        assert found is not None
        assert found.title == flavour
    assert look(machine.host, "stable").apks is None


def test_default_of_the_flavour_comes_before_its_first_entry(machine: Machine) -> None:
    twice = VIRT.replace("Alpine Linux virt", "Quiet")
    set_menu(machine, f"default_entry: Quiet\n{VIRT}{twice}")
    put(machine, ONE)
    found = look(machine.host, "virt").apks
    assert found is not None
    assert found.title == "Quiet"


def test_default_of_another_flavour_is_left_to_whoever_set_it(machine: Machine) -> None:
    put(machine, ONE)
    error = refusal(machine, lambda: put(machine, flavour="lts"))
    assert error.reason.code == "boot_loader_not_understood"
    assert "vmlinuz-lts" in error.reason.message
    put(machine, flavour="virt")
    assert menu(machine) == LIMINE


def test_parameter_is_for_apks_kernels_and_no_slot_changes(machine: Machine) -> None:
    put(machine, ONE)
    options = Options((Change("panic", "10"),), "auto", False)
    assert parameter.ensure(machine.host, lambda: options, check_mode=False)["changed"]
    assert menu(machine).count("panic=10") == 2
    assert not put(machine, ONE)["changed"]
    found = configured.entry(machine.host, editors.choose(machine.host, "auto"), menu(machine))
    assert isinstance(found, Entry)
    assert (found.title, found.cmdline) == ("virt", "root=UUID=1-2 ro quiet panic=10")


# --- What is refused, and what people have changed by hand ---------------------------------


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("check_mode", [True, False])
def test_menu_of_which_the_default_cannot_be_told(
    machine: Machine, text: str, why: str, check_mode: bool
) -> None:
    set_menu(machine, text)
    error = refusal(machine, lambda: put(machine, ONE, check_mode=check_mode))
    assert error.reason.code == "boot_loader_not_understood"
    assert why in error.reason.message


@pytest.mark.parametrize("names", [[ONE], [ONE, TWO], []])
def test_last_boot_that_is_remembered_since_is_told(machine: Machine, names: list[str]) -> None:
    put(machine, ONE)
    machine.edit(machine.menu, "timeout: 3\n", "timeout: 3\nremember_last_entry: yes\n")
    menus = look(machine.host)
    assert (menus.default, menus.agrees) == (None, False)
    assert menus.unclear == "it boots what was booted last"
    error = refusal(machine, lambda: put(machine, *names))
    assert "it boots what was booted last" in error.reason.message
    machine.edit(machine.menu, "remember_last_entry: yes\n", "")
    put(machine)
    assert menu(machine) == LIMINE


@pytest.mark.parametrize("character", "${}")
def test_character_that_limine_would_replace(machine: Machine, character: str) -> None:
    entries = [slot(ONE, cmdline=f"a={character}b")]
    error = refusal(machine, lambda: ensure(machine.host, entries, ONE, check_mode=False))
    assert error.reason.code == "slot_invalid"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\6\0\0\0\1", "it boots no file without a sum"), (None, "is not known without efivarfs")],
)
def test_slot_that_limine_would_not_boot_is_refused(
    machine: Machine, content: bytes | None, said: str
) -> None:
    put(machine, ONE, check_mode=False)
    machine.path("/sys/firmware/efi").mkdir(parents=True)
    if content is not None:
        machine.write(fakes.SECURE_BOOT, content)
    error = refusal(machine, lambda: put(machine, ONE, TWO, check_mode=False))
    assert error.reason.code == "slots_unsupported"
    assert said in error.reason.message
    # What is there already can be taken back.
    put(machine, check_mode=False)
    assert menu(machine) == LIMINE


def test_slot_is_written_where_secure_boot_is_off(machine: Machine) -> None:
    machine.path("/sys/firmware/efi").mkdir(parents=True)
    machine.write(fakes.SECURE_BOOT, b"\6\0\0\0\0")
    assert put(machine, ONE, check_mode=False)["changed"]


def test_slot_on_another_file_system_is_refused(machine: Machine) -> None:
    machine.path("/boot/efi").mkdir()
    machine.path(machine.menu).rename(machine.path("/boot/efi/limine.conf"))
    machine.write("/proc/mounts", "/dev/a / ext4 rw 0 0\n/dev/b /boot/efi vfat rw 0 0\n")
    error = refusal(machine, lambda: put(machine, ONE))
    assert error.reason.code == "slots_unsupported"


@pytest.mark.parametrize("names", [[ONE], [ONE, TWO], []])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{block.BEGIN}\n", ""),
        (f"{block.END}\n", ""),
        (block.END, f"/mine\n  protocol: linux\n  path: boot():/k\n{block.END}"),
        (block.END, f"  resolution: 800x600\n{block.END}"),
        (block.BEGIN, f"{block.BEGIN}\n# mine"),
        ("default_entry: 1\n", "default_entry: 2\n"),
        (f"path: boot():/boot/alpinefleet-kexec/{ONE}/linux", "path: boot():/mine"),
    ],
)
def test_block_that_was_edited_is_refused(
    machine: Machine, names: list[str], old: str, new: str
) -> None:
    put(machine, ONE)
    machine.edit(machine.menu, old, new)
    assert not look(machine.host).agrees
    assert refusal(machine, lambda: put(machine, *names)).reason.code == "slots_edited"


def test_entry_of_a_slot_outside_of_the_block_is_refused(machine: Machine) -> None:
    put(machine, ONE)
    for mark in (block.BEGIN, block.END):
        machine.edit(machine.menu, f"{mark}\n", "")
    assert not look(machine.host).agrees
    error = refusal(machine, lambda: put(machine))
    assert error.reason.code == "slots_edited"
    assert f"'{label_of(ONE)}' of {machine.menu}" in error.reason.message


def test_command_line_that_somebody_gave_a_slot_gives_way(machine: Machine) -> None:
    put(machine, ONE)
    written = menu(machine)
    machine.edit(
        machine.menu, f"alpinefleet_kexec.slot={ONE}", f"alpinefleet_kexec.slot={ONE} own=1"
    )
    assert put(machine, ONE)["changed"]
    assert menu(machine) == written


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "timeout: 3\n", "timeout: 3\ndefault_entry: Alpine/lts\n", id="default before ours"
        ),
        pytest.param("timeout: 3\n", "timeout: 3\ndefault_entry: 2\n", id="another default"),
        pytest.param(
            "interface_branding: Alpine\n",
            f"interface_branding: Alpine\n{LTS}",
            id="entry before ours",
        ),
        pytest.param(f"{block.END}\n", f"{block.END}\nquiet: yes\n", id="option behind ours"),
    ],
)
def test_what_somebody_wrote_since_stays_and_the_slot_is_the_default(
    machine: Machine, old: str, new: str
) -> None:
    put(machine, ONE, TWO)
    machine.edit(machine.menu, old, new)
    assert put(machine, ONE, TWO)["changed"]
    assert limine_boots(menu(machine)) == label_of(TWO)
    assert look(machine.host).agrees
    assert not put(machine, ONE, TWO)["changed"]
    own = new.replace(old, "")
    assert own in menu(machine).replace(block.KEPT, "")

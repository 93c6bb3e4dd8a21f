# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot loader is found, and what makes its menu anew."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import editors
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

SIGNS = {
    "extlinux": "/boot/extlinux.conf",
    "grub": "/boot/grub/grub.cfg",
    "limine": "/boot/limine/limine.conf",
    "uboot": "/boot/extlinux/extlinux.conf",
    "raspberrypi": "/boot/cmdline.txt",
    "zipl": "/etc/zipl.conf",
    "efi_stub": "/boot/startup.nsh",
    "uki": "/etc/kernel-hooks.d/secureboot.conf",
    "syslinux": "/media/sda1/boot/syslinux/syslinux.cfg",
}
CONTENT = {"uki": 'cmdline="a"\n'}


@pytest.fixture(autouse=True)
def bare(alpine: fakes.FakeHost) -> None:
    """No boot loader at all, and a kernel that names none."""
    alpine.remove("/boot/extlinux.conf")
    alpine.write("/proc/sys/kernel/bootloader_type", "0\n")


def refusal(alpine: fakes.FakeHost, name: str = "auto") -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        editors.choose(alpine.host, name)
    return caught.value


def install(alpine: fakes.FakeHost, *names: str) -> None:
    for name in names:
        alpine.write(SIGNS[name], CONTENT.get(name, ""))


# --- Which one -----------------------------------------------------------------------------


def test_signs_are_those_of_all_editors() -> None:
    assert ["auto", *SIGNS] == list(editors.CHOICES)


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("auto", [True, False])
def test_boot_loader_is_found_by_its_files(alpine: fakes.FakeHost, name: str, auto: bool) -> None:
    install(alpine, name)
    assert editors.choose(alpine.host, "auto" if auto else name).loader == name


@pytest.mark.parametrize("name", editors.CHOICES)
def test_boot_loader_that_is_not_there_is_refused(alpine: fakes.FakeHost, name: str) -> None:
    error = refusal(alpine, name)
    assert error.reason.code == "boot_loader_not_found"
    assert name == "auto" or f"the boot loader {name}" in error.reason.message


def test_two_are_refused_where_the_kernel_names_none(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux", "grub")
    error = refusal(alpine)
    assert error.reason.code == "boot_loader_ambiguous"
    assert "/boot/extlinux.conf, /boot/grub/grub.cfg" in error.reason.message


@pytest.mark.parametrize(
    ("type_id", "name"), [("52", "extlinux"), ("49", "extlinux"), ("114", "grub")]
)
def test_kernel_decides_between_two(alpine: fakes.FakeHost, type_id: str, name: str) -> None:
    install(alpine, "extlinux", "grub")
    alpine.write("/proc/sys/kernel/bootloader_type", f"{type_id}\n")
    assert editors.choose(alpine.host, "auto").loader == name


def test_configuration_of_another_one_than_the_kernels_is_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "limine")
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    error = refusal(alpine)
    assert error.reason.code == "boot_loader_not_found"
    assert SIGNS["limine"] in error.reason.message


def test_named_one_is_taken_whatever_else_is_there(alpine: fakes.FakeHost) -> None:
    install(alpine, *SIGNS)
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    for name in SIGNS:
        assert editors.choose(alpine.host, name).loader == name


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("limine", ("/boot/limine/limine.conf", "/boot/limine.conf")),
        ("grub", ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")),
    ],
)
@pytest.mark.parametrize("auto", [True, False])
def test_two_menus_of_one_loader_are_refused(
    alpine: fakes.FakeHost, name: str, paths: tuple[str, ...], auto: bool
) -> None:
    for path in paths:
        alpine.write(path, "")
    error = refusal(alpine, "auto" if auto else name)
    assert error.reason.code == "boot_loader_ambiguous"
    assert all(path in error.reason.message for path in paths)


def test_two_media_are_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "syslinux")
    alpine.write("/media/usb/syslinux.cfg", "")
    error = refusal(alpine, "syslinux")
    assert error.reason.code == "boot_loader_ambiguous"
    assert "Unmount" in error.reason.remedy


# --- What the boot loader reads ------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNS)
def test_boot_loader_reads_its_menu_or_what_is_edited(alpine: fakes.FakeHost, name: str) -> None:
    install(alpine, name)
    made = {"zipl": ("/boot/bootmap",), "uki": ("/boot/efi/Alpine/linux-virt.efi",)}
    alpine.write(SIGNS["zipl"], "[alpine]\ntarget = /boot\n")
    assert editors.choose(alpine.host, name).read_at_boot == made.get(name, (SIGNS[name],))


def test_settings_of_update_extlinux_are_not_read_at_boot(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "extlinux").read_at_boot == (SIGNS["extlinux"],)


# --- What is edited ------------------------------------------------------------------------


def test_extlinux_without_settings_is_edited_itself(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    found = editors.choose(alpine.host, "auto")
    assert (found.files, found.commands, found.menu) == (("/boot/extlinux.conf",), None, None)


def test_extlinux_with_settings_is_generated(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    alpine.write("/etc/update-extlinux.conf", "")
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    found = editors.choose(alpine.host, "auto")
    assert (found.files, found.menu) == (("/etc/update-extlinux.conf",), "/boot/extlinux.conf")
    assert found.commands is not None
    assert found.commands(alpine.host) == [["/sbin/update-extlinux"]]


def test_settings_alone_are_extlinux_only_with_its_command(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/update-extlinux.conf", "")
    assert refusal(alpine).reason.code == "boot_loader_not_found"
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    assert editors.choose(alpine.host, "auto").loader == "extlinux"
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").loader == "grub"


def test_grub_takes_the_settings_of_extlinux_along(alpine: fakes.FakeHost) -> None:
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").files == ("/etc/default/grub",)
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "auto").files == (
        "/etc/default/grub",
        "/etc/update-extlinux.conf",
    )


def test_parameters_that_other_settings_make(alpine: fakes.FakeHost) -> None:
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").fixed == {"root"}
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "auto").fixed == {"modules", "root"}


def test_menu_of_grub_is_made_beside_its_place_where_that_is_possible(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write("/boot/grub2/grub.cfg", "")
    found = editors.choose(alpine.host, "auto")
    assert found.draft is None
    assert found.generated == ("/boot/grub2/grub.cfg.new", "/boot/grub2/grub.cfg.backup")
    alpine.runner.installed["grub-mkconfig"] = "/sbin/grub-mkconfig"
    found = editors.choose(alpine.host, "auto")
    draft = "/boot/grub2/.grub.cfg.boot-parameter-new"
    assert (found.draft, found.generated) == (draft, (draft, f"{draft}.new"))
    assert found.commands is not None
    assert found.commands(alpine.host) == [["/sbin/grub-mkconfig", "-o", draft]]


@pytest.mark.parametrize("name", ["extlinux", "grub", "zipl", "uki"])
def test_command_that_is_missing_is_a_reason(alpine: fakes.FakeHost, name: str) -> None:
    install(alpine, name)
    alpine.write("/etc/update-extlinux.conf", "")
    found = editors.choose(alpine.host, name)
    assert found.commands is not None
    with pytest.raises(ReasonError, match="is not installed") as caught:
        found.commands(alpine.host)
    assert caught.value.reason.code == "boot_menu_not_regenerated"


def test_uki_with_a_file_of_its_own(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], "cmdline=/etc/kernel/cmdline\n")
    assert editors.choose(alpine.host, "auto").files == (SIGNS["uki"], "/etc/kernel/cmdline")


def test_uki_hook_that_is_not_active_is_no_sign(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], "# Set it.\ncmdline=\n")
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").loader == "grub"


def test_uki_settings_that_are_a_program_are_a_sign_and_refused(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], 'cmdline="$(cat /x)"\ncmdline+=" y"\n')
    with pytest.raises(NotUnderstoodError):
        editors.choose(alpine.host, "auto")


def test_raspberrypi_with_another_command_line_is_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "raspberrypi")
    alpine.write("/boot/usercfg.txt", "cmdline=other.txt\n")
    with pytest.raises(NotUnderstoodError, match="sets cmdline"):
        editors.choose(alpine.host, "auto")

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that make a menu anew, and where they write it."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import menu_commands
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.menu_commands import (
    Installed,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

MENU = "/boot/grub/grub.cfg"
DRAFT = "/boot/grub/.grub.cfg.boot-parameter-new"
HOOK = "/etc/kernel-hooks.d/secureboot.hook"
KERNELS = {"lts": "6.18.56-0-lts\n", "virt": "6.18.56-0-virt\n"}


def having(*names: str) -> Installed:
    return Installed({name: f"/sbin/{name}" for name in names})


# --- What is read --------------------------------------------------------------------------


def test_what_is_installed_is_read_as_it_is(alpine: fakes.FakeHost) -> None:
    alpine.runner.installed["zipl"] = "/sbin/zipl"
    for name in ("etc/kernel-hooks.d/b", "etc/kernel-hooks.d/a", "usr/share/kernel-hooks.d/a"):
        alpine.write(f"/{name}", "")
    alpine.write("/usr/share/kernel/gone/readme", "")
    alpine.write("/usr/share/kernel/odd/kernel.release", "6.18\0\n")
    assert menu_commands.installed_on(alpine.host) == Installed(
        {"zipl": "/sbin/zipl"},
        ("/etc/kernel-hooks.d/a", "/etc/kernel-hooks.d/b", "/usr/share/kernel-hooks.d/a"),
        {"gone": "", "odd": "6.18\0\n", "virt": f"{fakes.RELEASE}\n"},
    )


def test_nothing_may_be_installed(alpine: fakes.FakeHost) -> None:
    alpine.remove("/usr/share/kernel/virt/kernel.release")
    assert menu_commands.installed_on(alpine.host) == Installed(releases={"virt": ""})


# --- What is made of it --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("installed", "draft", "commands"),
    [
        pytest.param(having("update-grub"), None, [["/sbin/update-grub"]], id="in place"),
        pytest.param(
            having("update-grub", "grub-mkconfig"),
            DRAFT,
            [["/sbin/grub-mkconfig", "-o", DRAFT]],
            id="beside",
        ),
        pytest.param(
            having("grub-mkconfig", "grub-script-check"),
            DRAFT,
            [["/sbin/grub-mkconfig", "-o", DRAFT], ["/sbin/grub-script-check", DRAFT]],
            id="beside and checked",
        ),
        pytest.param(
            having("update-grub", "grub-script-check"),
            None,
            [["/sbin/update-grub"]],
            id="in place, where there is nothing to check",
        ),
    ],
)
def test_grub(installed: Installed, draft: str | None, commands: list[list[str]]) -> None:
    assert menu_commands.grub_draft(installed, MENU) == draft
    assert menu_commands.grub(installed, draft) == commands


@pytest.mark.parametrize("name", ["update-extlinux", "zipl"])
def test_command_without_words(name: str) -> None:
    assert menu_commands.one(name)(having(*menu_commands.COMMANDS)) == [[f"/sbin/{name}"]]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        pytest.param(menu_commands.one("zipl"), "zipl", id="without words"),
        pytest.param(
            lambda installed: menu_commands.grub(installed, None), "grub-mkconfig", id="in place"
        ),
        pytest.param(
            lambda installed: menu_commands.grub(installed, DRAFT), "grub-mkconfig", id="beside"
        ),
        pytest.param(menu_commands.hooks, "secureboot.hook", id="hook"),
    ],
)
def test_command_that_is_missing(make: menu_commands.Maker, name: str) -> None:
    with pytest.raises(ReasonError, match=f"^{name}, which makes"):
        make(Installed(hooks=("/etc/kernel-hooks.d/grub.hook",), releases=KERNELS))


@pytest.mark.parametrize(
    ("hooks", "taken"),
    [
        pytest.param([HOOK], HOOK, id="the one"),
        pytest.param(
            ["/etc/kernel-hooks.d/50-secureboot.hook"],
            "/etc/kernel-hooks.d/50-secureboot.hook",
            id="with a number",
        ),
        pytest.param(
            ["/etc/kernel-hooks.d/grub.hook", "/usr/share/kernel-hooks.d/secureboot.hook"],
            "/usr/share/kernel-hooks.d/secureboot.hook",
            id="the package's, beside another",
        ),
        pytest.param([HOOK, "/usr/share/kernel-hooks.d/secureboot.hook"], HOOK, id="the first"),
    ],
)
def test_hook_is_run_for_each_kernel_as_kernel_hooks_does(hooks: list[str], taken: str) -> None:
    installed = Installed(hooks=tuple(hooks), releases={"gone": "", **KERNELS})
    assert menu_commands.hooks(installed) == [
        [taken, "lts", "6.18.56-0"],
        [taken, "virt", "6.18.56-0"],
    ]


def test_release_without_its_flavour_is_the_version() -> None:
    installed = Installed(hooks=(HOOK,), releases={"own": " 6.18.56-mine\n"})
    assert menu_commands.hooks(installed) == [[HOOK, "own", "6.18.56-mine"]]


@pytest.mark.parametrize(
    ("settings", "images"),
    [
        pytest.param("", "/boot/efi/Alpine/linux-{}.efi", id="nothing said"),
        pytest.param('output_dir="/boot/EFI/Linux"\n', "/boot/EFI/Linux/linux-{}.efi", id="where"),
        pytest.param(
            "output_name='a-{version}-{flavor}.efi'\n",
            "/boot/efi/Alpine/a-6.18.56-0-{}.efi",
            id="how",
        ),
    ],
)
def test_images_are_known_by_the_settings(settings: str, images: str) -> None:
    found = menu_commands.images(Installed(releases=KERNELS), settings)
    assert found == (images.format("lts"), images.format("virt"))


def test_release_with_a_nul_byte_names_no_image_and_is_refused() -> None:
    installed = Installed(hooks=(HOOK,), releases={"virt": "6.18\0-virt\n"})
    assert menu_commands.images(installed, "") == ()
    with pytest.raises(NotUnderstoodError, match=r"virt/kernel\.release has a NUL byte"):
        menu_commands.hooks(installed)


@pytest.mark.parametrize("settings", ['output_dir="$esp/EFI"\n', "if x; then output_dir=/y; fi\n"])
def test_images_of_settings_that_are_a_program_are_not_guessed(settings: str) -> None:
    assert menu_commands.images(Installed(releases=KERNELS), settings) == ()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that make a menu anew, and where they write it."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import menu_commands
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

DRAFT = "/boot/grub/.grub.cfg.boot-parameter-new"


def install(alpine: fakes.FakeHost, *names: str) -> None:
    alpine.runner.installed.update({name: f"/sbin/{name}" for name in names})


@pytest.mark.parametrize(
    ("installed", "draft", "commands"),
    [
        pytest.param(["update-grub"], None, [["/sbin/update-grub"]], id="in place"),
        pytest.param(
            ["update-grub", "grub-mkconfig"],
            DRAFT,
            [["/sbin/grub-mkconfig", "-o", DRAFT]],
            id="beside",
        ),
        pytest.param(
            ["grub-mkconfig", "grub-script-check"],
            DRAFT,
            [["/sbin/grub-mkconfig", "-o", DRAFT], ["/sbin/grub-script-check", DRAFT]],
            id="beside and checked",
        ),
    ],
)
def test_grub(
    alpine: fakes.FakeHost, installed: list[str], draft: str | None, commands: list[list[str]]
) -> None:
    install(alpine, *installed)
    assert menu_commands.grub_draft(alpine.host, "/boot/grub/grub.cfg") == draft
    assert menu_commands.grub(alpine.host, draft) == commands


def test_command_without_words(alpine: fakes.FakeHost) -> None:
    install(alpine, "zipl")
    assert menu_commands.one("zipl")(alpine.host) == [["/sbin/zipl"]]


def test_command_that_is_missing(alpine: fakes.FakeHost) -> None:
    with pytest.raises(ReasonError, match="grub-mkconfig, which makes"):
        menu_commands.grub(alpine.host, None)


@pytest.mark.parametrize(
    "hook",
    [
        "/etc/kernel-hooks.d/secureboot.hook",
        "/etc/kernel-hooks.d/50-secureboot.hook",
        "/usr/share/kernel-hooks.d/secureboot.hook",
    ],
)
def test_hook_is_run_for_each_kernel_as_kernel_hooks_does(
    alpine: fakes.FakeHost, hook: str
) -> None:
    alpine.write(hook, "#!/bin/sh\n")
    alpine.add_flavour("lts", "6.18.56-0-lts")
    alpine.write("/usr/share/kernel/gone/readme", "")
    assert menu_commands.hooks(alpine.host) == [
        [hook, "lts", "6.18.56-0"],
        [hook, "virt", "6.18.56-0"],
    ]


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
def test_images_are_known_by_the_settings(
    alpine: fakes.FakeHost, settings: str, images: str
) -> None:
    alpine.add_flavour("lts", "6.18.56-0-lts")
    found = menu_commands.images(alpine.host, settings)
    assert found == (images.format("lts"), images.format("virt"))


def test_release_with_a_nul_byte_names_no_image_and_is_refused(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/kernel-hooks.d/secureboot.hook", "#!/bin/sh\n")
    alpine.write("/usr/share/kernel/virt/kernel.release", "6.18\0-virt\n")
    assert menu_commands.images(alpine.host, "") == ()
    with pytest.raises(NotUnderstoodError, match=r"virt/kernel\.release has a NUL byte"):
        menu_commands.hooks(alpine.host)


@pytest.mark.parametrize("settings", ['output_dir="$esp/EFI"\n', "if x; then output_dir=/y; fi\n"])
def test_images_of_settings_that_are_a_program_are_not_guessed(
    alpine: fakes.FakeHost, settings: str
) -> None:
    assert menu_commands.images(alpine.host, settings) == ()

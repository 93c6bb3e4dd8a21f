# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's Alpine packages are made of."""

from __future__ import annotations

from tests.lab import packages
from tests.lab.recipes import RECIPES


def test_recipes_own_files_exist_and_enter_the_key() -> None:
    own = {f"files/{name}" for recipe in RECIPES for name, _path, _mode in recipe.own}
    assert own == {name for name in packages.SOURCES if name.startswith("files/")}
    assert all((packages.FILES.parent / name).is_file() for name in own)


def test_recipes_have_alpines_names() -> None:
    names = {recipe.name for recipe in RECIPES}
    assert {
        "python3",
        "kexec-tools",
        "openssh",
        "syslinux",
        "grub",
        "grub-bios",
        "grub-efi",
    } <= names


def test_an_edit_changes_a_file_that_its_recipe_copies() -> None:
    for recipe in RECIPES:
        copied = {destination for _source, destination in recipe.copies}
        assert {edit.path for edit in recipe.edits} <= copied

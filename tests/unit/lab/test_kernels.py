# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alpine's package of its kernel is what apk remembers of it, and no more."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.lab import kernels
from tests.lab.errors import LabError

INSTALLED = """\
C:Q1abc
P:linux-virt-doc
V:1-r0
F:usr
R:other

C:Q1Z3ZHVTkNjgYeOQGG7xiPj13kKhs=
P:linux-virt
V:6.18.56-r0
A:x86_64
S:42108887
T:Linux lts kernel
U:https://www.kernel.org
L:GPL-2.0-only
o:linux-lts
m:Natanael Copa <ncopa@alpinelinux.org>
D:initramfs-generator
F:boot
R:vmlinuz-virt
Z:Q1sWZojdVbspKIzzG/1ByYbj4C0NY=
F:lib
F:lib/modules/6.18.56-0-virt
M:0:0:755
R:kernel-suffix
a:0:0:600
Z:Q1w0Iufa2zNNox5SHLc9xTboYguA8=
R:modules.order
"""
FILES = (
    "boot/vmlinuz-virt",
    "lib/modules/6.18.56-0-virt/kernel-suffix",
    "lib/modules/6.18.56-0-virt/modules.order",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (*FILES, "boot/initramfs-virt", kernels.DATABASE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / kernels.DATABASE).write_text(INSTALLED)
    return tmp_path


def test_package_is_told_as_it_was_installed(tree: Path) -> None:
    package = kernels.installed(tree)
    assert package.files == FILES
    assert package.info == {
        "name": "linux-virt",
        "version": "6.18.56-r0",
        "description": "Linux lts kernel",
        "url": "https://www.kernel.org",
        "license": "GPL-2.0-only",
        "origin": "linux-lts",
        "maintainer": "Natanael Copa <ncopa@alpinelinux.org>",
        "depends": "initramfs-generator",
    }


def test_copy_leaves_out_what_triggers_made_and_keeps_modes(tree: Path, tmp_path: Path) -> None:
    (tree / FILES[1]).chmod(0o600)
    target = tmp_path / "target"
    kernels.installed(tree).copy(tree, target)
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == sorted(FILES)
    assert stat.S_IMODE((target / FILES[1]).stat().st_mode) == 0o600


def test_a_package_that_is_not_installed_is_an_error(tree: Path) -> None:
    with pytest.raises(LabError, match="no package linux-lts") as caught:
        kernels.installed(tree, "linux-lts")
    assert caught.value.code == "package"

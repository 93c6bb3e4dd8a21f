# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB's settings and menu for a machine, and the lab's two stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loaders import (
    grub as reader,
)
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.lab.loaders import BootFiles, grub, grub_efi, kernel_options
from tests.lab.loaders.loader import FILES

# The shape of what grub-mkconfig of GRUB 2.06 writes for the lab's disks.
MENU = f"""\
### BEGIN /etc/grub.d/00_header ###
if [ "${{next_entry}}" ] ; then
   set default="${{next_entry}}"
else
   set default="0"
fi
serial --speed=115200
### END /etc/grub.d/00_header ###
### BEGIN /etc/grub.d/10_linux ###
function gfxmode {{
\tset gfxpayload="${{1}}"
}}
menuentry 'Alpine Linux v3.23, with Linux virt' --class os $menuentry_id_option 'gnulinux-virt' {{
\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
\tsearch --no-floppy --fs-uuid --set=root 1-2
\techo\t'Loading Linux virt ...'
\tlinux\t/boot/vmlinuz-virt root=UUID=1-2 ro  modules=sd-mod,usb-storage,ext4 {grub.MARK}
\techo\t'Loading initial ramdisk ...'
\tinitrd\t/boot/initramfs-virt
}}

### END /etc/grub.d/10_linux ###
"""
BOOT = BootFiles("1-2", {grub.MENU: MENU})
needs_busybox = pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")


@pytest.mark.parametrize("options", [kernel_options(), "quiet panic=5"])
def test_configure_writes_the_same_options_into_settings_and_menu(options: str) -> None:
    files = grub.configure(BOOT, options)
    entry = reader.default_entry(files[grub.MENU], {})
    wanted = f"modules=sd-mod,usb-storage,ext4 {options}"
    assert entry.cmdline == f"root=UUID=1-2 ro {wanted}"
    assert f'GRUB_CMDLINE_LINUX_DEFAULT="{wanted}"\n' in files[grub.SETTINGS]
    assert (entry.kernel, entry.initramfs) == ("/boot/vmlinuz-virt", ("/boot/initramfs-virt",))


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
def test_settings_are_what_a_shell_reads() -> None:
    script = grub.settings("quiet panic=5") + 'echo "$GRUB_TIMEOUT $GRUB_CMDLINE_LINUX_DEFAULT"'
    told = subprocess.check_output(["sh", "-c", script], text=True)
    assert told == "1 modules=sd-mod,usb-storage,ext4 quiet panic=5\n"


def test_early_config_finds_the_root_by_its_uuid() -> None:
    assert grub.early_config("1-2").splitlines() == [
        "search.fs_uuid 1-2 root",
        "set prefix=($root)'/boot/grub'",
    ]


@needs_busybox
@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--target=device", "/"], "/dev/vda2\n"),
        (["--device", "/dev/vda2", "--target=fs_uuid"], "1-2\n"),
        (["-t", "fs", "/boot/grub"], "ext2\n"),
        (["--device", "/dev/vda2", "--target=partmap"], "gpt\n"),
        (["--target=hints_string", "--device", "/dev/vda2"], ""),
    ],
    ids=str,
)
def test_probe_stand_in_answers_for_the_finished_disk(
    tmp_path: Path, arguments: list[str], answer: str
) -> None:
    assert probe(tmp_path, *arguments) == (0, answer)


@needs_busybox
def test_probe_stand_in_knows_no_more(tmp_path: Path) -> None:
    assert probe(tmp_path, "--target=partuuid") == (1, "")


def probe(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the stand-in for grub-probe."""
    done = subprocess.run(
        ["busybox", "sh", str(shell_runner.copy(FILES / grub.STAND_IN, folder)), *arguments],
        env={**os.environ, "PROBE_UUID": "1-2"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    shell_runner.keep(folder)
    return done.returncode, done.stdout


def update_grub(folder: Path, mkconfig: str) -> int:
    """Run the stand-in for update-grub with this text as grub-mkconfig."""
    program = folder / "bin/grub-mkconfig"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{mkconfig}\n")
    program.chmod(0o755)
    menu = str(folder / "boot/grub/grub.cfg")
    path = f"{program.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "UPDATE_GRUB_MENU": menu}
    command = ["busybox", "sh", str(shell_runner.copy(FILES / "update-grub", folder))]
    status = subprocess.run(command, env=environment, check=False).returncode
    shell_runner.keep(folder)
    return status


@needs_busybox
def test_update_grub_keeps_the_old_menu(tmp_path: Path) -> None:
    folder = tmp_path / "boot/grub"
    folder.mkdir(parents=True)
    (folder / "grub.cfg").write_text("before\n")
    assert update_grub(tmp_path, 'echo new > "$2"') == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "grub.cfg": "new\n",
        "grub.cfg.backup": "before\n",
    }


@needs_busybox
def test_update_grub_writes_a_first_menu(tmp_path: Path) -> None:
    assert update_grub(tmp_path, 'echo new > "$2"') == 0
    assert [path.name for path in (tmp_path / "boot/grub").iterdir()] == ["grub.cfg"]


@needs_busybox
def test_update_grub_leaves_the_menu_if_making_one_fails(tmp_path: Path) -> None:
    (tmp_path / "boot/grub").mkdir(parents=True)
    (tmp_path / "boot/grub/grub.cfg").write_text("before\n")
    assert update_grub(tmp_path, 'echo half > "$2"; exit 1') == 1
    assert (tmp_path / "boot/grub/grub.cfg").read_text() == "before\n"


def test_esp_is_in_fstab_by_its_volume_number() -> None:
    assert grub_efi.FSTAB_LINE.split()[:3] == [f"UUID={grub_efi.VOLUME}", "/boot/efi", "vfat"]

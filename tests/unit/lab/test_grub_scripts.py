# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes to Debian's 10_linux, on a script with the places that they look for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lab import grub_scripts
from tests.lab.errors import LabError
from tests.lab.grub_scripts import ALPINES_EDITS, LINUX_SCRIPT

SCRIPT = """\
. "$pkgdatadir/grub-mkconfig_lib"
if [ "x${GRUB_DISTRIBUTOR}" = "x" ] ; then
  OS=GNU/Linux
else
  OS="${GRUB_DISTRIBUTOR} GNU/Linux"
fi
if ( [ "x${GRUB_DEVICE_UUID}" = "x" ] ) \\
    || ( ! test -e "/dev/disk/by-uuid/${GRUB_DEVICE_UUID}" \\
\t&& ! test -e "/dev/disk/by-partuuid/${GRUB_DEVICE_PARTUUID}" ) \\
    || ( false ); then
  root=${GRUB_DEVICE}
else
  root=UUID=${GRUB_DEVICE_UUID}
fi
version=`echo $kernel | sed -e "s,^[^0-9]*-,,g"`
for name in "initrd.img-${version}" "initramfs-${version}.img" \\
\t   "initramfs-genkernel-${version}" \\
\t   "initramfs-genkernel-${GENKERNEL_ARCH}-${version}"; do
  if test -e "$pkgdatadir/$name"; then initrd=$name; break; fi
done
echo "$OS|$version|$initrd|$root|$GRUB_CMDLINE_LINUX_DEFAULT"
"""
EXTLINUX = "modules=sd-mod,ext4\ndefault_kernel_opts='quiet panic=5'\n"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the changed script; it may not read the settings of the host that tests."""
    settings = str(tmp_path / "update-extlinux.conf")
    path = tmp_path / LINUX_SCRIPT
    path.parent.mkdir(parents=True)
    path.write_text(SCRIPT)
    for edit in ALPINES_EDITS:
        edit.apply(tmp_path)
    path.write_text(path.read_text().replace("/etc/update-extlinux.conf", settings))
    (tmp_path / "grub-mkconfig_lib").write_text("")
    return path


def entry(folder: Path, kernel: str = "vmlinuz-virt", **variables: str) -> list[str]:
    """Return the entry of a kernel: title, flavour, initramfs, root and options."""
    (folder / f"initramfs-{kernel.partition('-')[2]}").write_text("")
    defaults = {"GRUB_DISTRIBUTOR": "Alpine", "GRUB_CMDLINE_LINUX_DEFAULT": "nokaslr"}
    device = {"GRUB_DEVICE": "/dev/vda2", "GRUB_DEVICE_UUID": "1-2"}
    environment = {**defaults, **device, **variables, "pkgdatadir": str(folder), "kernel": kernel}
    told = subprocess.check_output(["sh", folder / LINUX_SCRIPT], env=environment, text=True)
    return told.rstrip("\n").split("|")


def test_script_names_alpines_files_and_the_uuid(script: Path, tmp_path: Path) -> None:
    assert entry(tmp_path) == ["Alpine", "virt", "initramfs-virt", "UUID=1-2", "nokaslr"]


def test_script_keeps_a_hyphen_of_the_flavour(script: Path, tmp_path: Path) -> None:
    found = entry(tmp_path, "vmlinuz-edge4-virt")
    assert found[1:3] == ["edge4-virt", "initramfs-edge4-virt"]


def test_script_takes_the_systems_own_name(script: Path, tmp_path: Path) -> None:
    assert entry(tmp_path, GRUB_DISTRIBUTOR="")[0] != "GNU/Linux"


def test_script_puts_the_settings_of_extlinux_first(script: Path, tmp_path: Path) -> None:
    (tmp_path / "update-extlinux.conf").write_text(EXTLINUX)
    assert entry(tmp_path)[4] == "modules=sd-mod,ext4 quiet panic=5 nokaslr"


@pytest.mark.parametrize("text", ["", SCRIPT * 2], ids=["absent", "twice"])
def test_edit_refuses_a_script_that_it_does_not_know(tmp_path: Path, text: str) -> None:
    (tmp_path / "script").write_text(text)
    edit = grub_scripts.Edit("script", '"initramfs-genkernel-${version}"', "x")
    with pytest.raises(LabError, match="does not hold exactly once"):
        edit.apply(tmp_path)

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written into a machine's disk before its first boot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab import identity
from tests.lab.config import ImageSpec, MachineSpec
from tests.lab.identity import GuestFile
from tests.lab.image import Image
from tests.lab.layout import MIB, Layout, Partition
from tests.lab.loaders import BootFiles, grub

TOOLS = ("busybox", "ssh-keygen")
needs_tools = pytest.mark.skipif(
    not all(shutil.which(name) for name in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)


def test_debugfs_script_replaces_owner_and_mode() -> None:
    script = identity.debugfs_script({"etc/key": GuestFile("x", 0o600)}, {"etc/key": Path("/d/0")})
    assert script.splitlines() == [
        "rm /etc/key",
        'write "/d/0" /etc/key',
        "set_inode_field /etc/key mode 0100600",
        "set_inode_field /etc/key uid 0",
        "set_inode_field /etc/key gid 0",
    ]


@needs_tools
def test_guest_files_carry_the_machines_own_identity(tmp_path: Path) -> None:
    (tmp_path / "rc.conf").write_text('rc_sys="lxc"\nrc_parallel="NO"\n')
    identity.make_keys(tmp_path, "web1")
    boot = BootFiles("1-2", {"boot/vmlinuz-virt": ""})
    spec = MachineSpec("web1", locked=True, parallel_rc=True, append="panic=5")
    files = identity.guest_files(spec, Image(tmp_path, boot, True), tmp_path)
    assert files["etc/hostname"].text == "web1\n"
    assert files["etc/rc.conf"].text == 'rc_sys=""\nrc_parallel="YES"\n'
    assert files[identity.HOST_KEY].mode == 0o600
    assert "PRIVATE KEY" in files[identity.HOST_KEY].text
    menu = files["boot/extlinux.conf"].text
    assert "nokaslr panic=5\n" in menu
    assert "kexec_load_disabled" not in menu
    public = files[f"{identity.HOST_KEY}.pub"].text
    assert (tmp_path / "known_hosts").read_text() == f"web1 {public}"


@needs_tools
@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        (ImageSpec(), ["main"]),
        (ImageSpec(alpine="3.23.5"), ["main", "kernels"]),
        (ImageSpec(alpine="3.23.5", mirror="http://192.0.2.1"), ["main", "community"]),
    ],
)
def test_only_an_older_alpine_is_told_of_a_newer_kernel(
    tmp_path: Path, spec: ImageSpec, parts: list[str]
) -> None:
    (tmp_path / "rc.conf").write_text("")
    identity.make_keys(tmp_path, "web1")
    image = Image(tmp_path, BootFiles("1-2", {"boot/vmlinuz-virt": ""}), True)
    files = identity.guest_files(MachineSpec("web1", image=spec), image, tmp_path)
    lines = files["etc/apk/repositories"].text.splitlines()
    assert [line.rpartition("/")[2] for line in lines] == parts


@needs_tools
def test_guest_files_of_a_grub_machine(tmp_path: Path) -> None:
    (tmp_path / "rc.conf").write_text("")
    identity.make_keys(tmp_path, "web1")
    boot = BootFiles("1-2", {grub.MENU: f"linux /boot/vmlinuz-virt {grub.MARK}\n"})
    spec = MachineSpec("web1", image=ImageSpec(loader="grub"), locked=True, append="panic=5")
    files = identity.guest_files(spec, Image(tmp_path, boot, True), tmp_path)
    assert files[grub.MENU].text.endswith("nokaslr panic=5\n")
    assert 'nokaslr panic=5"\n' in files[grub.SETTINGS].text
    assert not [path for path in files if "extlinux" in path]


@pytest.mark.skipif(not shutil.which("mke2fs", path="/usr/sbin:/sbin"), reason="needs e2fsprogs")
@pytest.mark.parametrize("layout", [Layout("dos"), Layout("gpt", Partition("x", MIB))])
def test_write_files_into_a_disk(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
    disk = tmp_path / "disk.raw"
    with disk.open("wb") as stream:
        stream.truncate(layout.root_offset + (8 << 20))
    offset = f"offset={layout.root_offset}"
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", offset, disk, "8192k"], check=True)
    identity.write_files({"name": GuestFile("first\n")}, tmp_path, layout)
    identity.write_files({"name": GuestFile("second\n", 0o600)}, tmp_path, layout)
    ask = ["debugfs", "-R", "stat /name", f"{disk}?{offset}"]
    told = subprocess.check_output(ask, text=True, stderr=subprocess.DEVNULL)
    assert "Mode:  0600" in told
    ask[2] = "cat /name"
    assert subprocess.check_output(ask, text=True, stderr=subprocess.DEVNULL) == "second\n"
    assert not (tmp_path / "drafts").exists()

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apk has in /boot: the content of a slot that would be made of it."""

from __future__ import annotations

import os

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import candidate
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.candidate import Candidate
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

ENTRY = Entry("virt", "vmlinuz-virt", ("initramfs-virt",), fakes.RUNNING)
PI = Entry("cmdline.txt", None, (), "root=/dev/mmcblk0p2")
UCODE = "/boot/intel-ucode.img"


@pytest.fixture(autouse=True)
def tree(alpine: fakes.FakeHost) -> None:
    slots.install_modules(alpine)


def look(
    alpine: fakes.FakeHost, entry: Entry | None = ENTRY, flavour: str | None = None
) -> Candidate:
    return candidate.look(alpine.host, Menus("extlinux", apks=entry), flavour)


def refused(alpine: fakes.FakeHost, entry: Entry | None, flavour: str | None = None) -> str:
    with pytest.raises(ReasonError) as refusal:
        look(alpine, entry, flavour)
    return refusal.value.reason.code


def test_content_is_that_of_the_entry(alpine: fakes.FakeHost) -> None:
    found = look(alpine)
    content = found.manifest
    assert (content.release, content.flavour) == (fakes.RELEASE, "virt")
    assert content.cmdline == fakes.CONFIGURED
    assert content.files["linux"].sha256 == alpine.host.digest("/boot/vmlinuz-virt")
    assert content.files["initrd"].sha256 == alpine.host.digest("/boot/initramfs-virt")
    assert content.modules.count == 2
    assert found.reasons == found.obstacles == ()
    assert found.id.startswith(fakes.RELEASE)


def test_time_is_that_of_the_newest_file(alpine: fakes.FakeHost) -> None:
    os.utime(alpine.path("/boot/vmlinuz-virt"), (100, 100))
    os.utime(alpine.path("/boot/initramfs-virt"), (200, 200))
    assert look(alpine).changed == 200


def test_microcode_is_first_and_the_next_archive_where_the_kernel_looks(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write(UCODE, fakes.microcode())
    plain = look(alpine)
    found = look(
        alpine, Entry("virt", "vmlinuz-virt", ("initramfs-virt", "intel-ucode.img"), "quiet")
    )
    assert found.sources["initrd"] == (UCODE, "/boot/initramfs-virt")
    joined = b"".join(candidate.pieces(alpine.host, found.sources["initrd"]))
    padding = b"\0" * (-len(fakes.microcode()) % 4)
    assert joined == fakes.microcode() + padding + fakes.initramfs()
    assert found.manifest.files["initrd"].size == len(joined)
    assert plain.manifest.differences(found.manifest) == ("initramfs", "cmdline")


def test_device_trees_are_those_of_the_flavour(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/dtbs-virt/vendor/board.dtb", "a tree")
    alpine.write("/boot/dtbs-lts/vendor/board.dtb", "of another flavour")
    found = look(alpine)
    assert found.sources["dtbs/vendor/board.dtb"] == ("/boot/dtbs-virt/vendor/board.dtb",)
    assert found.manifest.has_dtbs


def test_kernel_without_an_initramfs_has_none(alpine: fakes.FakeHost) -> None:
    found = look(alpine, Entry("virt", "vmlinuz-virt", (), "root=/dev/vda"))
    assert sorted(found.manifest.files) == ["linux"]


def test_loader_that_names_no_kernel_boots_that_of_the_flavour(alpine: fakes.FakeHost) -> None:
    found = look(alpine, PI)
    assert found.sources == {"linux": ("/boot/vmlinuz-virt",), "initrd": ("/boot/initramfs-virt",)}
    alpine.add_flavour("lts", "6.18.56-0-lts")
    assert refused(alpine, PI) == "flavour_ambiguous"
    assert look(alpine, PI, "lts").manifest.flavour == "lts"


def test_pair_that_does_not_fit_is_a_candidate_that_would_not_boot(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/initramfs-virt", fakes.initramfs(fakes.OLD_RELEASE))
    assert [each.code for each in look(alpine).obstacles] == ["initramfs_mismatch"]


def test_kernel_that_does_not_tell_its_release_has_that_of_the_package(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write("/boot/vmlinuz-virt", fakes.arm64_image())
    alpine.write("/proc/sys/kernel/arch", "aarch64\n")
    assert look(alpine).manifest.release == fakes.RELEASE
    alpine.remove("/usr/share/kernel/virt")
    assert refused(alpine, ENTRY) == "kernel_invalid"


def test_cut_kernel_is_told(alpine: fakes.FakeHost) -> None:
    alpine.cut("/boot/vmlinuz-virt", 2048)
    assert [each.code for each in look(alpine).obstacles] == ["kernel_truncated"]
    alpine.remove("/usr/share/kernel/virt")
    assert refused(alpine, ENTRY) == "kernel_truncated"


@pytest.mark.parametrize("gone", ["/boot/vmlinuz-virt", "/boot/initramfs-virt"])
def test_file_that_is_gone_makes_no_candidate(alpine: fakes.FakeHost, gone: str) -> None:
    alpine.remove(gone)
    assert refused(alpine, ENTRY) in ("kernel_missing", "path_unreadable")


@pytest.mark.parametrize(
    ("entry", "flavour"),
    [
        (None, None),
        (None, "lts"),
        (Entry("mine", "/boot/my-kernel", (), ""), None),
    ],
)
def test_no_kernel_of_apk_s_is_no_candidate(
    alpine: fakes.FakeHost, entry: Entry | None, flavour: str | None
) -> None:
    alpine.write("/boot/my-kernel", fakes.bzimage())
    assert refused(alpine, entry, flavour) == "flavour_unknown"

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking into files: each defect is found, named and blocks as far as it must."""

from __future__ import annotations

import gzip
import os
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Files, Origin
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.inspect import (
    Inspected,
    inspect,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

KERNEL = "/boot/vmlinuz-virt"
INITRAMFS = "/boot/initramfs-virt"
MICROCODE = "/boot/intel-ucode.img"


def inspected(
    alpine: fakes.FakeHost,
    *initramfs: str,
    machine: str = "x86_64",
    origin: Origin = "boot_loader",
    installed: t.Mapping[str, str] | None = None,
) -> Inspected:
    files = Files(KERNEL, initramfs or (INITRAMFS,), origin)
    return inspect(alpine.host, files, machine, installed or {})


def codes(found: Inspected) -> list[str]:
    return [each.code for each in found.reasons]


def test_inspect_of_whole_files(alpine: fakes.FakeHost) -> None:
    found = inspected(alpine)
    assert found.release == fakes.RELEASE
    assert found.total_bytes == len(fakes.bzimage()) + len(fakes.initramfs())
    assert found.ordered_initramfs == (INITRAMFS,)
    assert found.reasons == ()


def test_inspect_without_an_initramfs(alpine: fakes.FakeHost) -> None:
    found = inspect(alpine.host, Files(KERNEL, (), "option"), "x86_64", {})
    assert (found.ordered_initramfs, found.reasons) == ((), ())


# --- Defects -------------------------------------------------------------------------------

Arrange = t.Callable[[fakes.FakeHost], object]


def put_a_pipe(alpine: fakes.FakeHost) -> None:
    alpine.remove(INITRAMFS)
    os.mkfifo(alpine.path(INITRAMFS))


DEFECTS: list[t.Any] = [
    pytest.param(
        lambda host: host.remove(KERNEL),
        "kernel_missing",
        f"{KERNEL} does not exist",
        id="no kernel",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, "#!/bin/sh\n"),
        "kernel_invalid",
        f"{KERNEL} is not a Linux kernel",
        id="a script instead of a kernel",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, ""),
        "kernel_truncated",
        f"{KERNEL} is empty",
        id="empty kernel",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, b"\0" * 70000),
        "kernel_truncated",
        "nothing but zeros",
        id="kernel of zeros",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, fakes.arm64_image()),
        "kernel_wrong_architecture",
        f"{KERNEL} is a 64 bit arm64 kernel and the host is x86_64",
        id="kernel of another architecture",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, fakes.bzimage(bits64=False)),
        "kernel_wrong_architecture",
        f"{KERNEL} is a 32 bit x86 kernel and the host is x86_64",
        id="kernel too narrow",
    ),
    pytest.param(
        lambda host: host.cut(KERNEL, 4095),
        "kernel_truncated",
        f"{KERNEL} has 4095 bytes and its header says 4096",
        id="kernel cut by one byte",
    ),
    pytest.param(
        lambda host: host.remove(INITRAMFS),
        "initramfs_missing",
        f"{INITRAMFS} does not exist",
        id="no initramfs",
    ),
    pytest.param(
        lambda host: host.write(INITRAMFS, "text"),
        "initramfs_invalid",
        f"{INITRAMFS} is not an initramfs: it is neither",
        id="text instead of an initramfs",
    ),
    pytest.param(
        lambda host: host.cut(INITRAMFS, 60),
        "initramfs_truncated",
        f"{INITRAMFS} ends in the middle of its archive",
        id="initramfs cut",
    ),
    pytest.param(
        lambda host: host.write(INITRAMFS, ""),
        "initramfs_truncated",
        f"{INITRAMFS} ends in the middle",
        id="empty initramfs",
    ),
    pytest.param(
        lambda host: host.write(INITRAMFS, fakes.initramfs(fakes.OLD_RELEASE)),
        "initramfs_mismatch",
        f"{INITRAMFS} holds modules of {fakes.OLD_RELEASE} and {KERNEL} is {fakes.RELEASE}",
        id="initramfs of another kernel",
    ),
    pytest.param(
        lambda host: host.remove("/lib/modules"),
        "modules_missing",
        f"/lib/modules/{fakes.RELEASE} does not exist",
        id="no modules",
    ),
    pytest.param(
        lambda host: host.link(KERNEL, "vmlinuz-virt"),
        "path_unreadable",
        f"{KERNEL} cannot be read",
        id="kernel that cannot be opened",
    ),
    pytest.param(
        lambda host: host.link(KERNEL, "/proc/self/mem"),
        "path_unreadable",
        f"{KERNEL} cannot be read",
        id="kernel on a disk that fails",
    ),
    pytest.param(
        lambda host: host.link(INITRAMFS, "/proc/self/mem"),
        "path_unreadable",
        f"{INITRAMFS} cannot be read",
        id="initramfs on a disk that fails",
    ),
    pytest.param(
        put_a_pipe,
        "path_invalid",
        f"{INITRAMFS} is not a regular file",
        id="pipe instead of an initramfs",
    ),
]


# That they are of a kind which is not known here does not say that firmware cannot boot them.
IN_DOUBT = ("kernel_invalid", "initramfs_invalid", "path_unreadable")


def test_kernel_that_would_have_to_be_waited_for_is_unreadable(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As /proc/kmsg is, which counts as a regular file.
    read, write = os.pipe()
    os.set_blocking(read, False)
    monkeypatch.setattr(Host, "open", lambda _host, _path: os.fdopen(read, "rb"))
    with os.fdopen(write, "wb"):
        assert codes(inspect(alpine.host, Files(KERNEL, (), "option"), "x86_64", {})) == [
            "path_unreadable"
        ]


@pytest.mark.parametrize(("arrange", "code", "message"), DEFECTS)
@pytest.mark.parametrize(
    ("origin", "blocks"), [("boot_loader", "reboot"), ("option", "reboot"), ("convention", "kexec")]
)
def test_inspect_finds(
    alpine: fakes.FakeHost, arrange: Arrange, code: str, message: str, origin: Origin, blocks: str
) -> None:
    arrange(alpine)
    found = inspected(alpine, origin=origin).reasons
    if code in IN_DOUBT and origin == "boot_loader":
        blocks = "kexec"
    assert [(each.code, each.blocks) for each in found] == [(code, blocks)]
    assert message in found[0].message
    assert found[0].remedy.endswith(".")


def test_inspect_finds_every_defect_at_once(alpine: fakes.FakeHost) -> None:
    alpine.remove(KERNEL)
    alpine.cut(INITRAMFS, 60)
    assert codes(inspected(alpine)) == ["kernel_missing", "initramfs_truncated"]


def test_inspect_judges_no_coherence_without_a_release(alpine: fakes.FakeHost) -> None:
    alpine.write(KERNEL, fakes.arm64_image())
    alpine.write(INITRAMFS, fakes.initramfs(fakes.OLD_RELEASE))
    assert inspected(alpine, machine="aarch64") == Inspected(
        release=None,
        total_bytes=inspected(alpine).total_bytes,
        ordered_initramfs=(INITRAMFS,),
        identity=inspected(alpine).identity,
    )


def test_inspect_takes_the_release_from_the_package_where_the_kernel_names_none(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write(KERNEL, fakes.arm64_image())
    found = inspected(alpine, machine="aarch64", installed={"virt": fakes.OLD_RELEASE})
    assert found.release == fakes.OLD_RELEASE
    assert codes(found) == ["initramfs_mismatch", "modules_missing"]


def test_inspect_accepts_an_initramfs_with_modules_of_several_kernels(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write("/boot/extra.img", fakes.initramfs(fakes.OLD_RELEASE))
    assert codes(inspected(alpine, INITRAMFS, "/boot/extra.img")) == []


ZFS = fakes.cpio({f"lib/modules/{fakes.RELEASE}/extra/zfs/zfs.ko.gz": b"", "init": b""})
DM_CRYPT = fakes.cpio({f"usr/lib/modules/{fakes.RELEASE}/kernel/md/dm-crypt.ko": b""})
BUILT_IN = f"/lib/modules/{fakes.RELEASE}/modules.builtin"
LZ4 = b"\x02\x21\x4c\x18" + b"\0" * 60


@pytest.mark.parametrize(
    ("files", "built_in", "modules"),
    [
        pytest.param([ZFS], "", {"zfs"}, id="in the initramfs"),
        pytest.param([ZFS, DM_CRYPT], "", {"zfs", "dm_crypt"}, id="in two of them"),
        pytest.param([ZFS], "kernel/fs/ext4/ext4.ko\n", {"zfs", "ext4"}, id="built in"),
        pytest.param([ZFS], "kernel/lib/lib-a.ko\n", {"zfs", "lib_a"}, id="a dash"),
        pytest.param([ZFS], None, None, id="what is built in is not known"),
        pytest.param([ZFS, LZ4], "", None, id="one cannot be looked into"),
        pytest.param([ZFS, b"text"], "", None, id="one is none"),
        pytest.param([], "kernel/fs/ext4/ext4.ko\n", None, id="no initramfs"),
    ],
)
def test_inspect_tells_what_the_kernel_will_have_before_its_root(
    alpine: fakes.FakeHost, files: list[bytes], built_in: str | None, modules: set[str] | None
) -> None:
    names = [f"/boot/{number}.img" for number in range(len(files))]
    for name, content in zip(names, files, strict=True):
        alpine.write(name, content)
    if built_in is not None:
        alpine.write(BUILT_IN, built_in)
    found = inspect(alpine.host, Files(KERNEL, tuple(names), "boot_loader"), "x86_64", {})
    assert found.modules == modules


def test_inspect_accepts_an_initramfs_without_modules(alpine: fakes.FakeHost) -> None:
    alpine.write(INITRAMFS, gzip.compress(fakes.cpio({"init": b""})))
    assert codes(inspected(alpine)) == []


def test_inspect_tells_what_it_could_not_look_into(alpine: fakes.FakeHost) -> None:
    alpine.write(INITRAMFS, b"\x02\x21\x4c\x18" + b"\0" * 60)
    found = inspected(alpine)
    assert [(each.code, each.blocks) for each in found.reasons] == [
        ("initramfs_unverified", "nothing")
    ]
    assert INITRAMFS in found.reasons[0].message
    assert "not checked" in found.reasons[0].remedy


# --- Order ---------------------------------------------------------------------------------


def test_microcode_comes_first_and_the_rest_keeps_its_order(alpine: fakes.FakeHost) -> None:
    alpine.write(MICROCODE, fakes.microcode())
    alpine.write("/boot/amd-ucode.img", fakes.microcode())
    alpine.write("/boot/a.img", fakes.cpio({"a": b""}))
    found = inspected(alpine, INITRAMFS, MICROCODE, "/boot/a.img", "/boot/amd-ucode.img")
    assert found.ordered_initramfs == (MICROCODE, "/boot/amd-ucode.img", INITRAMFS, "/boot/a.img")
    assert codes(found) == []


def test_an_initramfs_with_microcode_in_it_is_no_microcode(alpine: fakes.FakeHost) -> None:
    alpine.write(INITRAMFS, fakes.microcode() + fakes.initramfs())
    alpine.write("/boot/a.img", fakes.cpio({"a": b""}))
    assert inspected(alpine, "/boot/a.img", INITRAMFS).ordered_initramfs[0] == "/boot/a.img"


# --- Identity ------------------------------------------------------------------------------


def test_identity_stays_while_nobody_writes(alpine: fakes.FakeHost) -> None:
    assert inspected(alpine).identity == inspected(alpine).identity


def replace(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/new", fakes.bzimage())
    os.replace(alpine.path("/boot/new"), alpine.path(KERNEL))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(replace, id="replaced by equal bytes"),
        pytest.param(lambda host: os.utime(host.path(KERNEL), (0, 0)), id="touched"),
        pytest.param(lambda host: host.write(INITRAMFS, fakes.initramfs() * 2), id="grown"),
        pytest.param(lambda host: host.remove(INITRAMFS), id="removed"),
    ],
)
def test_identity_tells_a_change(alpine: fakes.FakeHost, change: Arrange) -> None:
    before = inspected(alpine).identity
    change(alpine)
    assert inspected(alpine).identity != before


def test_identity_of_a_missing_file_is_its_path(alpine: fakes.FakeHost) -> None:
    alpine.remove(KERNEL)
    assert inspected(alpine).identity[0] == (KERNEL,)

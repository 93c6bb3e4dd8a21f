# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking into files: each kind is known, each defect found, named and as grave as it must be."""

from __future__ import annotations

import dataclasses
import gzip
import os
import struct
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import (
    inspect as inspect_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Files, Origin
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.initramfs import Initramfs
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.inspect import (
    Contents,
    ImageFile,
    Inspected,
    Kernel,
    inspect,
    judge,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from hypothesis import given
from hypothesis import strategies as st

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
        lambda host: host.write(KERNEL, fakes.unified_image()),
        "kernel_invalid",
        f"{KERNEL} is a unified kernel image",
        id="unified kernel image",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, fakes.unified_image(b".text", b".initrd")),
        "kernel_invalid",
        f"{KERNEL} is not a Linux kernel",
        id="EFI program without a kernel",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, fakes.unified_image()[:0x200]),
        "kernel_invalid",
        f"{KERNEL} is not a Linux kernel",
        id="unified kernel image that is cut in its list of sections",
    ),
    pytest.param(
        lambda host: host.write(KERNEL, fakes.unified_image(b".linuxish")),
        "kernel_invalid",
        f"{KERNEL} is not a Linux kernel",
        id="EFI program with a section of a like name",
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
    named = {f"/boot/{number}.img": content for number, content in enumerate(files)}
    for name, content in named.items():
        alpine.write(name, content)
    if built_in is not None:
        alpine.write(BUILT_IN, built_in)
    found = inspect(alpine.host, Files(KERNEL, tuple(named), "boot_loader"), "x86_64", {})
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


# --- Kernel files of every format, built from the layout of their headers ------------------

RELEASE = "6.18.56-0-virt"
VERSION = f"{RELEASE} (buildozer@build-3-23-x86_64) #1-Alpine SMP PREEMPT_DYNAMIC"


def put(size: int, fields: dict[int, bytes]) -> bytes:
    """A file of zeros with some bytes in their places."""
    head = bytearray(size)
    for offset, content in fields.items():
        head[offset : offset + len(content)] = content
    return bytes(head)


def bzimage(**changes: int) -> bytes:
    """The set-up code of Alpine 3.23's vmlinuz-virt: 31 sectors of it, protocol 2.15."""
    values = {"sectors": 0x1F, "size16": 0xC0940, "version": 0x3710, "flags": 0x7F, **changes}
    fields = {
        0x000: b"MZ",
        0x038: b"\xcd\x23\x82\x81\x40\0\0\0PE\0\0\x64\x86",
        0x1F1: bytes([values["sectors"]]),
        0x1F4: struct.pack("<I", values["size16"]),
        0x1FE: b"\x55\xaa",
        0x202: b"HdrS\x0f\x02",
        0x20E: struct.pack("<H", values["version"]),
        0x236: struct.pack("<H", values["flags"]),
        0x3910: VERSION.encode(),
    }
    return put(0x4000, fields)


def pe_header(machine: int) -> dict[int, bytes]:
    return {0: b"MZ", 0x3C: struct.pack("<I", 0x40), 0x40: b"PE\0\0" + struct.pack("<H", machine)}


def zboot(machine: int = 0xAA64) -> bytes:
    """An EFI program around a compressed kernel, as CONFIG_EFI_ZBOOT makes it."""
    fields = {**pe_header(machine), 4: b"zimg" + struct.pack("<II", 0x2000, 0x900000)}
    return put(0x1000, {**fields, 0x18: b"gzip\0\0\0\0", 0x38: b"\xcd\x23\x82\x81"})


def arm64_image() -> bytes:
    """The 64 bytes before the code: branch, offset, size, flags, magic, PE header."""
    fields = {0: b"MZ\0\x91", 8: struct.pack("<QQQ", 0, 0x2A00000, 0xA)}
    return put(0x1000, {**fields, 0x38: b"ARM\x64\x40\0\0\0"})


def riscv_image() -> bytes:
    return put(0x1000, {0: b"MZ", 0x30: b"RISCV\0\0\0RSC\x05\x40\0\0\0"})


def zimage(start: int = 0, end: int = 0x5A0000) -> bytes:
    return put(0x1000, {0x24: struct.pack("<III", 0x016F2818, start, end)})


def elf(machine: int, *, bits: int = 64, order: str = "<") -> bytes:
    """The head of a vmlinux."""
    kind = bytes([bits // 32, 1 if order == "<" else 2, 1])
    return put(64, {0: b"\x7fELF" + kind, 16: struct.pack(order + "HH", 2, machine)})


def s390_image() -> bytes:
    return put(0x11000, {0x10008: b"S390EP"})


FILES: dict[str, tuple[bytes, Kernel]] = {
    "vmlinuz-virt of x86_64": (bzimage(), Kernel("bzImage", "x86", RELEASE, 12637184)),
    "bzImage for 32 bits": (
        bzimage(flags=0x02),
        Kernel("bzImage", "x86", RELEASE, 12637184, False),
    ),
    "bzImage of an old build": (
        bzimage(sectors=0, version=0),
        Kernel("bzImage", "x86", None, 5 * 512 + 0xC0940 * 16),
    ),
    "bzImage whose version is elsewhere": (
        bzimage(version=0xFFFF),
        Kernel("bzImage", "x86", None, 12637184),
    ),
    "Image of aarch64": (arm64_image(), Kernel("Image", "arm64", None, 64)),
    "Image.gz of aarch64": (
        gzip.compress(arm64_image()),
        Kernel("Image.gz", "arm64", None, 64),
    ),
    "Image of riscv64": (riscv_image(), Kernel("Image", "riscv64", None, 64)),
    "Image.gz of riscv64": (
        gzip.compress(riscv_image()),
        Kernel("Image.gz", "riscv64", None, 64),
    ),
    "zboot of aarch64": (zboot(), Kernel("zboot", "arm64", None, 0x902000)),
    "zboot of riscv64": (zboot(0x5064), Kernel("zboot", "riscv64", None, 0x902000)),
    "zboot of loongarch64": (zboot(0x6264), Kernel("zboot", "loongarch64", None, 0x902000)),
    "zboot of an unknown machine": (zboot(0x1234), Kernel("zboot", "pe-0x1234", None, 0x902000)),
    "zImage of armv7": (zimage(), Kernel("zImage", "arm", None, 0x5A0000, False)),
    "zImage with an address": (
        zimage(0x8000, 0x5A8000),
        Kernel("zImage", "arm", None, 0x5A0000, False),
    ),
    "vmlinux of ppc64le": (elf(21), Kernel("ELF", "ppc64", None, 64)),
    "vmlinux of s390x": (elf(22, order=">"), Kernel("ELF", "s390x", None, 64)),
    "vmlinux of x86_64": (elf(62), Kernel("ELF", "x86", None, 64)),
    "vmlinux of x86": (elf(3, bits=32), Kernel("ELF", "x86", None, 64, False)),
    "vmlinux of aarch64": (elf(183), Kernel("ELF", "arm64", None, 64)),
    "vmlinux of an unknown machine": (elf(8), Kernel("ELF", "elf-8", None, 64)),
    "bzImage of s390x": (s390_image(), Kernel("bzImage", "s390x", None, 0x11000)),
}

NO_KERNELS: dict[str, bytes] = {
    "an empty file": b"",
    "a FIT of U-Boot": put(0x1000, {0: b"\xd0\x0d\xfe\xed\0\0\x10\0"}),
    "a uImage of U-Boot": put(0x1000, {0: b"\x27\x05\x19\x56", 0x1C: b"\5\x16\2\0Linux"}),
    "a text": b"#!/bin/sh\necho kernel\n" * 100,
    "zeros": bytes(4096),
    "an EFI program": put(0x1000, pe_header(0x8664)),
    "a gzip file of something else": gzip.compress(b"initramfs" * 100),
    "a gzip file that is damaged": b"\x1f\x8b" + b"\xff" * 100,
    "a gzip file that is cut": gzip.compress(arm64_image())[:12],
    "an initramfs": b"070701" + b"0" * 104,
    "an ELF head that is cut": elf(62)[:40],
    "a bzImage that is cut before its magic": bzimage()[:0x202],
    "an Image that is cut before its magic": arm64_image()[:0x38],
}

RELEASES: dict[str, tuple[bytes, str | None]] = {
    "virt": (VERSION.encode(), "6.18.56-0-virt"),
    "lts": (b"6.12.31-0-lts (buildozer@host) #1-Alpine", "6.12.31-0-lts"),
    "a release candidate": (b"6.19.0-rc1+ (me@here) #1", "6.19.0-rc1+"),
    "a local build": (b"5.4~git_2-x #1", "5.4~git_2-x"),
    "the end of the text": (b"6.6.1\0garbage", "6.6.1"),
    "no release": (b"Linux version 6", None),
    "nothing": (b"", None),
}

FITS: dict[str, tuple[bytes, list[str]]] = {
    "64 bit x86": (bzimage(), ["x86_64", "i386", "i586", "i686"]),
    "32 bit x86": (bzimage(flags=0), ["i386", "i586", "i686"]),
    "arm64": (zboot(), ["aarch64"]),
    "arm": (zimage(), ["armv6l", "armv7l", "armv8l"]),
    "ppc64": (elf(21), ["ppc64le"]),
    "riscv64": (riscv_image(), ["riscv64"]),
    "loongarch64": (zboot(0x6264), ["loongarch64"]),
    "s390x": (s390_image(), ["s390x"]),
    "unknown": (elf(8), []),
}

HEADS = [content for content, _kernel_of in FILES.values()]


@pytest.mark.parametrize(("content", "kernel"), FILES.values(), ids=FILES)
def test_parse_kernel(content: bytes, kernel: Kernel) -> None:
    assert inspect_module.parse_kernel(content) == kernel


@pytest.mark.parametrize("content", NO_KERNELS.values(), ids=NO_KERNELS)
def test_parse_of_no_kernel(content: bytes) -> None:
    assert inspect_module.parse_kernel(content) is None


@pytest.mark.parametrize("content", HEADS, ids=FILES)
def test_parse_needs_no_more_than_the_head(content: bytes) -> None:
    longer = content + bytes(2 * inspect_module.HEAD_BYTES)
    assert inspect_module.parse_kernel(
        longer[: inspect_module.HEAD_BYTES]
    ) == inspect_module.parse_kernel(content)


@pytest.mark.parametrize(("text", "release"), RELEASES.values(), ids=RELEASES)
def test_release(text: bytes, release: str | None) -> None:
    head = put(0x4000, {0x1F1: b"\x1f", 0x202: b"HdrS", 0x20E: struct.pack("<H", 0x3000)})
    kernel = inspect_module.parse_kernel(head[:0x3200] + text)
    assert kernel is not None
    assert kernel.release == release


@pytest.mark.parametrize(("content", "machines"), FITS.values(), ids=FITS)
def test_fits(content: bytes, machines: list[str]) -> None:
    kernel = inspect_module.parse_kernel(content)
    assert kernel is not None
    assert [
        name for name in inspect_module.MACHINES if inspect_module.fits(kernel, name)
    ] == machines


def test_fits_a_machine_that_nobody_listed_by_its_name() -> None:
    assert inspect_module.fits(Kernel("Image", "sparc64", None, 64), "sparc64")


@given(st.sampled_from(HEADS), st.integers(0, 0x11000))
def test_cut_head_is_the_same_kind_of_kernel_or_none(content: bytes, size: int) -> None:
    whole, cut = inspect_module.parse_kernel(content), inspect_module.parse_kernel(content[:size])
    assert whole is not None
    assert cut is None or cut.format == whole.format


@given(st.binary(max_size=0x300))
def test_parse_takes_any_bytes(content: bytes) -> None:
    kernel = inspect_module.parse_kernel(content)
    assert kernel is None or kernel.format


@given(st.binary(max_size=100))
def test_parse_takes_any_bytes_behind_a_magic(content: bytes) -> None:
    assert inspect_module.parse_kernel(b"MZ\0\0zimg" + content) is not None
    assert inspect_module.parse_kernel(put(0x202, {}) + b"HdrS" + content) is not None


# --- The verdict on what was read ----------------------------------------------------------

IDENTITY = ("/k", 1, 2, 4096, 3, 4)
WHOLE = ImageFile("/k", identity=IDENTITY, head=fakes.bzimage())
OURS = Initramfs(releases={fakes.RELEASE}, modules={"ext4"})
OTHERS = Initramfs(releases={fakes.OLD_RELEASE}, modules={"xfs"})
EARLY = Initramfs(microcode=True)


def part(path: str, inside: Initramfs | None, **fields: t.Any) -> ImageFile:
    return ImageFile(path, identity=(path, 1, 2, 100, 3, 4), inside=inside, **fields)


def contents(*parts: ImageFile, kernel: ImageFile = WHOLE, **fields: t.Any) -> Contents:
    known = {"release": fakes.RELEASE, "has_modules": True, "built_in": ""}
    return Contents(kernel, parts, **{**known, **fields})


VERDICTS: dict[str, tuple[Contents, list[str]]] = {
    "all is well": (contents(part("/i", OURS)), []),
    "no initramfs": (contents(), []),
    "a kernel that cannot be read": (
        contents(kernel=dataclasses.replace(WHOLE, problem="unreadable", head=b"")),
        ["path_unreadable"],
    ),
    "a kernel that is missing is of no release": (
        contents(part("/i", OTHERS), kernel=ImageFile("/k", problem="missing", identity=("/k",))),
        ["kernel_missing"],
    ),
    "a kernel that is cut": (
        contents(kernel=dataclasses.replace(WHOLE, identity=("/k", 1, 2, 4095, 3, 4))),
        ["kernel_truncated"],
    ),
    "an initramfs that is cut": (
        contents(part("/i", None, problem="truncated")),
        ["initramfs_truncated"],
    ),
    "an initramfs that nobody can look into": (
        contents(part("/i", None)),
        ["initramfs_unverified"],
    ),
    "an initramfs of another kernel": (contents(part("/i", OTHERS)), ["initramfs_mismatch"]),
    "one of two is of this kernel": (contents(part("/i", OURS), part("/j", OTHERS)), []),
    "no modules": (contents(part("/i", OURS), has_modules=False), ["modules_missing"]),
    "a release that is not known": (
        contents(part("/i", OTHERS), release=None, has_modules=False),
        [],
    ),
}


@pytest.mark.parametrize(("read", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_judge(read: Contents, expected: list[str]) -> None:
    files = Files("/k", tuple(each.path for each in read.initramfs), "boot_loader")
    assert codes(judge(read, files, "x86_64")) == expected


def test_judge_puts_microcode_first_and_adds_up() -> None:
    read = contents(part("/i", OURS), part("/m", EARLY))
    found = judge(read, Files("/k", ("/i", "/m"), "boot_loader"), "x86_64")
    assert found.ordered_initramfs == ("/m", "/i")
    assert found.total_bytes == 4096 + 2 * 100
    assert found.identity[0] == IDENTITY
    assert found.modules == frozenset({"ext4"})

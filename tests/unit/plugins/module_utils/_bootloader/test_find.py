# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot loader boots the host, and where the files that it names are."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import find
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.find import Configured
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import LOADER_TYPE
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.mounts import Mount
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

GRUB = """\
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
else
   set default="0"
fi
menuentry 'Alpine, with Linux virt' $menuentry_id_option 'gnulinux-virt' {
\tlinux\t/vmlinuz-virt root=/dev/vda3 quiet
\tinitrd\t/initramfs-virt
}
menuentry 'Alpine, with Linux lts' $menuentry_id_option 'gnulinux-lts' {
\tlinux\t/vmlinuz-lts root=/dev/vda3 quiet
\tinitrd\t/initramfs-lts
}
"""
GRUB_ENTRY = Entry(
    "Alpine, with Linux virt", "/vmlinuz-virt", ("/initramfs-virt",), "root=/dev/vda3 quiet"
)
EXTLINUX_ENTRY = Entry("virt", "vmlinuz-virt", ("initramfs-virt",), fakes.CONFIGURED)
CMDLINE_TXT = "root=/dev/mmcblk0p2 rootfstype=ext4 quiet\n"

# What /proc/sys/kernel/bootloader_type says: the loader in the upper digit, a version below.
EXTLINUX_TYPE, GRUB_TYPE, STUB_TYPE, KEXEC_TYPE, QEMU_TYPE = (
    "52\n",
    "114\n",
    "33\n",
    "208\n",
    "176\n",
)

PATHS = {
    "extlinux": "/boot/extlinux.conf",
    "U-Boot": "/boot/extlinux/extlinux.conf",
    "syslinux": "/boot/syslinux/syslinux.cfg",
}

CHOICES: dict[str, tuple[str | None, str | None]] = {
    "extlinux": (EXTLINUX_TYPE, "extlinux"),
    "GRUB": (GRUB_TYPE, "grub"),
    "kexec": (KEXEC_TYPE, None),
    "the EFI stub": (STUB_TYPE, None),
    "QEMU": (QEMU_TYPE, None),
    "no boot loader of x86": (None, None),
    "nonsense": ("unknown\n", None),
}

NOT_FOUND = Reason(
    "boot_loader_not_found",
    "No configuration of a known boot loader was found.",
    "The running command line is used; set cmdline_source to choose another.",
    "nothing",
)
LEFT_BEHIND = Reason(
    "boot_loader_not_found",
    "Another boot loader than that of /boot/extlinux.conf started the running kernel.",
    "The running command line is used; set cmdline_source to choose another.",
    "nothing",
)
AMBIGUOUS = Reason(
    "boot_loader_ambiguous",
    "Several boot loaders are configured: /boot/extlinux.conf, /boot/grub/grub.cfg.",
    "Remove the configuration that is not in use; the running command line is used.",
    "nothing",
)
NOT_UNDERSTOOD = Reason(
    "boot_loader_not_understood",
    "/boot/extlinux.conf was not understood: without DEFAULT and UI it waits for somebody.",
    "The running command line is used; set cmdline_source to choose another.",
    "nothing",
)

# The directory of the configuration, the name in it, the files of the host, and the one meant.
LOCATIONS: dict[str, tuple[str, str, list[str], str | None]] = {
    "beside": ("/boot", "vmlinuz-virt", [], "/boot/vmlinuz-virt"),
    "beside, one level up": ("/boot/extlinux", "../vmlinuz-virt", [], "/boot/vmlinuz-virt"),
    "on the root file system": ("/boot", "/boot/k", ["/boot/k"], "/boot/k"),
    "on a file system of /boot": ("/boot/grub", "/k", ["/boot/k"], "/boot/k"),
    "in both places": ("/boot/grub", "/k", ["/boot/k", "/k"], "/k"),
    "nowhere": ("/boot/grub", "/k", [], "/k"),
    "in a subvolume that nobody knows of": ("/boot/grub", "/@/boot/k", ["/boot/k"], None),
    "in a data set that nobody knows of": ("/boot/grub", "/BOOT/a@/k", ["/boot/k"], None),
    "on a file system that is not known": ("/boot/grub", "/elsewhere/k", ["/boot/k"], None),
}
# The same with what /proc/mounts says.
ROOT = "/dev/vda2 / btrfs rw,subvolid=256,subvol={} 0 0\n"
ZFS = "rpool/ROOT/alpine / zfs rw,xattr 0 0\n"
BOOT = "/dev/vda1 /boot ext4 rw 0 0\n"
MOUNTED: dict[str, tuple[str, str, list[str], str | None]] = {
    "in a subvolume": (ROOT.format("/vol"), "/vol/boot/k", ["/boot/k"], "/boot/k"),
    "in a subvolume below another": (ROOT.format("/a/b"), "/a/b/boot/k", ["/boot/k"], "/boot/k"),
    "in the top": (ROOT.format("/"), "/boot/k", ["/boot/k"], "/boot/k"),
    "known to be missing in a subvolume": (ROOT.format("/vol"), "/vol/boot/k", [], "/boot/k"),
    "in another subvolume": (ROOT.format("/vol"), "/other/boot/k", ["/boot/k"], None),
    "in a subvolume of a name that goes on": (
        ROOT.format("/vol"),
        "/vol2/boot/k",
        ["/boot/k"],
        None,
    ),
    "in a snapshot": (ROOT.format("/@"), "/@/.snapshots/1/snapshot/boot/k", ["/boot/k"], None),
    "in the system that a snapshot was made of": (
        ROOT.format("/@snap"),
        "/@/boot/k",
        ["/boot/k"],
        None,
    ),
    "in a data set": (ZFS, "/ROOT/alpine@/boot/k", ["/boot/k"], "/boot/k"),
    "in another data set": (ZFS, "/ROOT/old@/boot/k", ["/boot/k"], None),
    "missing in /boot, and of the root before it": (BOOT, "/k", ["/k"], "/boot/k"),
    "missing in a directory of /boot": (BOOT, "/kernels/k", ["/kernels/k"], "/boot/kernels/k"),
    "on a file system of /boot": (f"{ROOT.format('/@')}{BOOT}", "/k", ["/boot/k", "/k"], "/boot/k"),
    "known to be missing in /boot": (BOOT, "/k", [], "/boot/k"),
    "in a directory that is not there": (BOOT, "/efi/k", [], None),
}


@pytest.fixture
def bare(alpine: fakes.FakeHost) -> fakes.FakeHost:
    """A host without any boot loader."""
    alpine.remove("/boot/extlinux.conf")
    alpine.remove(LOADER_TYPE)
    return alpine


def test_configured_by_extlinux(alpine: fakes.FakeHost) -> None:
    assert find.configured(alpine.host) == Configured(
        "extlinux",
        "/boot/extlinux.conf",
        EXTLINUX_ENTRY,
        "/boot/vmlinuz-virt",
        ("/boot/initramfs-virt",),
    )


def test_configured_by_grub(bare: fakes.FakeHost) -> None:
    bare.write("/boot/grub/grub.cfg", GRUB)
    assert find.configured(bare.host) == Configured(
        "grub",
        "/boot/grub/grub.cfg",
        GRUB_ENTRY,
        "/boot/vmlinuz-virt",
        ("/boot/initramfs-virt",),
    )


def test_configured_by_grub_for_one_boot(bare: fakes.FakeHost) -> None:
    bare.write("/boot/grub/grub.cfg", f"load_env\n{GRUB}")
    bare.write("/boot/grub/grubenv", "# GRUB Environment Block\nnext_entry=gnulinux-lts\n####")
    entry = find.configured(bare.host).entry
    assert entry is not None
    assert entry.title == "Alpine, with Linux lts"


def test_configured_by_a_raspberry_pi_names_no_kernel(bare: fakes.FakeHost) -> None:
    bare.write("/boot/cmdline.txt", CMDLINE_TXT)
    assert find.configured(bare.host) == Configured(
        "raspberrypi",
        "/boot/cmdline.txt",
        Entry("cmdline.txt", None, (), CMDLINE_TXT.strip()),
    )


@pytest.mark.parametrize("name", ["config.txt", "usercfg.txt"])
def test_configured_elsewhere_by_a_raspberry_pi(bare: fakes.FakeHost, name: str) -> None:
    bare.write("/boot/cmdline.txt", CMDLINE_TXT)
    bare.write(f"/boot/{name}", "arm_64bit=1\ncmdline=mine.txt\n")
    (found,) = find.configured(bare.host).reasons
    assert found.message == "/boot/cmdline.txt was not understood: config.txt sets cmdline."


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_configured_finds_the_menu(bare: fakes.FakeHost, path: str) -> None:
    bare.write(path, fakes.extlinux(fakes.CONFIGURED))
    assert find.configured(bare.host).path == path


@pytest.mark.parametrize(("type_id", "loader"), CHOICES.values(), ids=CHOICES)
def test_configured_twice_and_started_by(
    bare: fakes.FakeHost, type_id: str | None, loader: str | None
) -> None:
    bare.write("/boot/extlinux.conf", fakes.extlinux(fakes.CONFIGURED))
    bare.write("/boot/grub/grub.cfg", GRUB)
    if type_id is not None:
        bare.write(LOADER_TYPE, type_id)
    found = find.configured(bare.host)
    assert found.loader == loader
    assert found.reasons == (() if loader else (AMBIGUOUS,))


def test_configured_is_not_what_another_loader_left_behind(alpine: fakes.FakeHost) -> None:
    alpine.write(LOADER_TYPE, GRUB_TYPE)
    assert find.configured(alpine.host) == Configured(reasons=(LEFT_BEHIND,))


@pytest.mark.parametrize("type_id", [KEXEC_TYPE, STUB_TYPE, QEMU_TYPE])
def test_configured_once_and_started_by_nobody_known(alpine: fakes.FakeHost, type_id: str) -> None:
    alpine.write(LOADER_TYPE, type_id)
    assert find.configured(alpine.host).loader == "extlinux"


def test_configured_by_nothing(bare: fakes.FakeHost) -> None:
    assert find.configured(bare.host) == Configured(reasons=(NOT_FOUND,))


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_configured_by_what_is_not_understood(alpine: fakes.FakeHost, text: str) -> None:
    alpine.write("/boot/extlinux.conf", text)
    assert find.configured(alpine.host) == Configured(
        "extlinux", "/boot/extlinux.conf", reasons=(NOT_UNDERSTOOD,)
    )


def test_configured_by_what_cannot_be_read(alpine: fakes.FakeHost) -> None:
    alpine.remove("/boot/extlinux.conf")
    alpine.path("/boot/extlinux.conf").mkdir()
    assert find.configured(alpine.host).reasons == (NOT_UNDERSTOOD,)


@pytest.mark.parametrize(("directory", "name", "files", "path"), LOCATIONS.values(), ids=LOCATIONS)
def test_locate(
    bare: fakes.FakeHost, directory: str, name: str, files: list[str], path: str | None
) -> None:
    for file in files:
        bare.write(file, "")
    assert find.locate(bare.host, f"{directory}/menu", name) == path


@pytest.mark.parametrize(("mounts", "name", "files", "path"), MOUNTED.values(), ids=MOUNTED)
def test_locate_by_what_is_mounted(
    bare: fakes.FakeHost, mounts: str, name: str, files: list[str], path: str | None
) -> None:
    bare.write("/proc/mounts", mounts)
    bare.path("/boot/kernels").mkdir(parents=True, exist_ok=True)
    for file in files:
        bare.write(file, "")
    assert find.locate(bare.host, "/boot/grub/grub.cfg", name) == path


@pytest.mark.parametrize("menu", PATHS.values())
@pytest.mark.parametrize(
    ("name", "files", "path"),
    [
        ("/boot/k", ["/boot/k"], None),
        ("/boot/k", ["/boot/k", "/boot/boot/k"], "/boot/boot/k"),
        ("/k", ["/k"], "/boot/k"),
        ("/far/k", ["/far/k"], None),
    ],
    ids=["of the root", "of its own", "missing", "in a directory of the root"],
)
def test_locate_for_what_reads_one_file_system(
    bare: fakes.FakeHost, menu: str, name: str, files: list[str], path: str | None
) -> None:
    bare.write("/proc/mounts", f"/dev/vda2 / ext4 rw 0 0\n{BOOT}")
    for file in files:
        bare.write(file, "")
    assert find.locate(bare.host, menu, name) == path


# The menu, a name in it, what the menu is on, and each sign with the path that it stands for.
GRUB_MENU, OWN_MENU = "/boot/grub/grub.cfg", "/boot/extlinux.conf"
ON_ROOT, ON_BOOT = Mount("/"), Mount("/boot")
IN_VOLUME = Mount("/", "btrfs", ("rw", "subvol=/@"))
CANDIDATES: dict[str, tuple[str, str, Mount, list[tuple[str, str]]]] = {
    "beside the menu": (OWN_MENU, "../k", ON_BOOT, [("/", "/k")]),
    "at the root": (
        GRUB_MENU,
        "/k",
        ON_ROOT,
        [("/k", "/k"), ("/boot/k", "/boot/k"), ("/", "/k")],
    ),
    "in a directory of the root": (
        GRUB_MENU,
        "/boot/k",
        ON_ROOT,
        [("/boot/k", "/boot/k"), ("/boot/", "/boot/k"), ("/boot/boot/k", "/boot/boot/k")],
    ),
    "on a file system of /boot": (
        GRUB_MENU,
        "/./k",
        ON_BOOT,
        [("/boot/k", "/boot/k"), ("/boot/", "/boot/k"), ("/k", "/k")],
    ),
    "for what reads one file system": (
        OWN_MENU,
        "/efi/k",
        ON_BOOT,
        [("/boot/efi/k", "/boot/efi/k"), ("/boot/efi/", "/boot/efi/k")],
    ),
    "at the root, for what reads one file system": (
        OWN_MENU,
        "/k",
        ON_ROOT,
        [("/k", "/k"), ("/", "/k")],
    ),
    "in the subvolume": (
        OWN_MENU,
        "/@/boot/k",
        IN_VOLUME,
        [("/boot/k", "/boot/k"), ("/boot/", "/boot/k")],
    ),
    "in another subvolume": (
        GRUB_MENU,
        "/a/k",
        IN_VOLUME,
        [("/a/k", "/a/k"), ("/boot/a/k", "/boot/a/k")],
    ),
    "in another subvolume, for what reads one file system": (OWN_MENU, "/a/k", IN_VOLUME, []),
}


@pytest.mark.parametrize(("menu", "name", "mount", "places"), CANDIDATES.values(), ids=CANDIDATES)
def test_candidates(menu: str, name: str, mount: Mount, places: list[tuple[str, str]]) -> None:
    assert list(find.candidates(menu, name, mount).items()) == places


@pytest.mark.parametrize(
    ("name", "mount", "there", "path"),
    [
        pytest.param("k", ON_BOOT, {"/"}, "/boot/grub/k", id="beside, there or not"),
        pytest.param("/k", ON_BOOT, {"/", "/boot/", "/k", "/boot/k"}, "/boot/k", id="its own"),
        pytest.param("/k", ON_BOOT, {"/", "/boot/", "/k"}, "/boot/k", id="known to be missing"),
        pytest.param("/efi/k", ON_BOOT, {"/", "/efi/k"}, "/efi/k", id="on another file system"),
        pytest.param(
            "/boot/efi/k",
            ON_BOOT,
            {"/", "/boot/boot/efi/k"},
            "/boot/boot/efi/k",
            id="its own, deep",
        ),
        pytest.param("/efi/k", ON_BOOT, {"/", "/boot/"}, None, id="may be anywhere"),
        pytest.param("/k", ON_ROOT, {"/", "/boot/k"}, "/boot/k", id="rather there than missing"),
        pytest.param("/k", ON_ROOT, {"/"}, "/k", id="missing at the root"),
        pytest.param("/a/k", IN_VOLUME, {"/", "/boot/a/k"}, "/boot/a/k", id="of a subvolume"),
        pytest.param("/a/k", IN_VOLUME, {"/", "/a/"}, None, id="in an unknown subvolume"),
    ],
)
def test_pick(name: str, mount: Mount, there: set[str], path: str | None) -> None:
    assert find.pick(find.candidates(GRUB_MENU, name, mount), there) == path


def test_one_file_that_is_elsewhere_leaves_the_others_unused(bare: fakes.FakeHost) -> None:
    bare.write("/boot/grub/grub.cfg", "menuentry a {\nlinux /k\ninitrd /i /far/ucode\n}\n")
    bare.write("/boot/k", "")
    bare.write("/boot/i", "")
    found = find.configured(bare.host)
    assert found.entry == Entry("a", "/k", ("/i", "/far/ucode"), "")
    assert found.kernel is None


def test_configured_by_what_starts_no_linux(bare: fakes.FakeHost) -> None:
    bare.write("/boot/grub/grub.cfg", "menuentry a {\nchainloader /EFI/other.efi\n}\n")
    (found,) = find.configured(bare.host).reasons
    assert (found.code, found.blocks) == ("starts_no_linux", "kexec")


# The files that are there, and the menus that the loader may read.
ORDERS: dict[str, tuple[str, list[str], list[str]]] = {
    "extlinux: its own name first": (
        "extlinux",
        ["/boot/ldlinux.sys", "/boot/syslinux.cfg", "/boot/extlinux.conf"],
        ["/boot/extlinux.conf"],
    ),
    "extlinux: the other name": (
        "extlinux",
        ["/boot/ldlinux.sys", "/boot/syslinux.cfg"],
        ["/boot/syslinux.cfg"],
    ),
    "extlinux: where it is installed": (
        "extlinux",
        ["/boot/syslinux/ldlinux.sys", "/boot/syslinux/syslinux.cfg", "/boot/extlinux.conf"],
        ["/boot/syslinux/syslinux.cfg"],
    ),
    "extlinux: where it looks later": (
        "extlinux",
        ["/boot/ldlinux.sys", "/boot/syslinux/syslinux.cfg"],
        ["/boot/syslinux/syslinux.cfg"],
    ),
    "extlinux: installed where nobody knows": (
        "extlinux",
        ["/boot/syslinux/syslinux.cfg", "/boot/extlinux.conf"],
        ["/boot/extlinux.conf", "/boot/syslinux/syslinux.cfg"],
    ),
    "limine: one": ("limine", ["/boot/limine.conf"], ["/boot/limine.conf"]),
    "limine: on a partition of its own": (
        "limine",
        ["/boot/efi/EFI/BOOT/limine.conf"],
        ["/boot/efi/EFI/BOOT/limine.conf"],
    ),
    "limine: two, of which versions take another one": (
        "limine",
        ["/boot/limine/limine.conf", "/boot/limine.conf"],
        ["/boot/limine.conf", "/boot/limine/limine.conf"],
    ),
    "grub: two installations": (
        "grub",
        ["/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"],
        ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"],
    ),
}


@pytest.mark.parametrize(("name", "files", "menus"), ORDERS.values(), ids=ORDERS)
def test_menus_in_the_order_of_their_loader(
    bare: fakes.FakeHost, name: str, files: list[str], menus: list[str]
) -> None:
    for file in files:
        bare.write(file, "")
    loader = next(each for each in find.LOADERS if each.name == name)
    assert list(loader.menus(bare.host)) == menus
    code = find.configured(bare.host).reasons[0].code
    assert (code == "boot_loader_ambiguous") == (len(menus) > 1)


def test_uboot_reads_its_menu_in_its_own_way(bare: fakes.FakeHost) -> None:
    bare.write("/boot/extlinux/extlinux.conf", "default a\nlabel a\nlinux k\nappend ${x}\n")
    assert find.configured(bare.host).entry == Entry("a", "k", (), "${x}")
    bare.write("/proc/sys/kernel/arch", "aarch64\n")
    assert [each.code for each in find.configured(bare.host).reasons] == [
        "boot_loader_not_understood"
    ]


def test_loaders_have_names_of_their_own() -> None:
    names = [loader.name for loader in find.LOADERS]
    assert len(set(names)) == len(names)

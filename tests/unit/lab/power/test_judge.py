# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the judge says of menus, kernels and initramfs files, and what it must not rely on."""

from __future__ import annotations

import ast
import hashlib
import struct
from pathlib import Path

import pytest

from tests.lab.power import extlinux, grub
from tests.lab.power import judge as judge_module
from tests.lab.power.judge import Image, Known, Menu, Verdict, judge
from tests.lab.power.menus import Start
from tests.lab.power.views import Content

PACKAGE = Path(judge_module.__file__).parent
EXTLINUX = """\
DEFAULT virt
PROMPT 0
TIMEOUT 10

LABEL lts
  LINUX vmlinuz-lts
LABEL virt
  MENU LABEL Linux virt
  LINUX vmlinuz-virt
  INITRD initramfs-virt
  APPEND root=UUID=1-2 quiet
"""
GRUB = """\
### BEGIN /etc/grub.d/00_header ###
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="0"
fi

if [ x"${feature_menuentry_id}" = xy ]; then
  menuentry_id_option="--id"
else
  menuentry_id_option=""
fi

export menuentry_id_option

function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
    save_env saved_entry
  fi
}
if [ "${recordfail}" = 1 ] ; then set timeout=30; fi
### END /etc/grub.d/00_header ###
### BEGIN /etc/grub.d/10_linux ###
function gfxmode {
\tset gfxpayload="${1}"
}
menuentry 'Alpine Linux, with Linux virt' --class os $menuentry_id_option 'gnulinux-simple-1' {
\tload_video
\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
\tsearch --no-floppy --fs-uuid --set=root 1-2
\techo\t'Loading Linux virt ...'
\tlinux\t/boot/vmlinuz-virt root=UUID=1-2 ro  quiet
\techo\t'Loading initial ramdisk ...'
\tinitrd\t/boot/intel-ucode.img /boot/initramfs-virt
}
submenu 'Advanced options for Alpine Linux' $menuentry_id_option 'gnulinux-advanced-1' {
\tmenuentry 'Alpine Linux, with Linux lts' --class os $menuentry_id_option 'gnulinux-lts-1' {
\t\tlinux\t/boot/vmlinuz-lts root=UUID=1-2 ro
\t\tinitrd\t/boot/initramfs-lts
\t}
\tmenuentry 'Alpine Linux, with Linux edge' --class os $menuentry_id_option 'gnulinux-edge-1' {
\t\tlinux\t($root)/boot/vmlinuz-edge root=UUID=1-2 ro
\t}
}
### END /etc/grub.d/10_linux ###
menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
\tfwsetup
}
"""
VIRT = Start("/boot/vmlinuz-virt", ("/boot/initramfs-virt",))
GRUB_VIRT = Start("/boot/vmlinuz-virt", ("/boot/intel-ucode.img", "/boot/initramfs-virt"))
LTS = Start("/boot/vmlinuz-lts", ("/boot/initramfs-lts",))
EDGE = Start("/boot/vmlinuz-edge")
HIDDEN = EXTLINUX.replace("DEFAULT virt", "DEFAULT menu.c32")
MARKED = HIDDEN.replace("  MENU LABEL", "  menu default\n  MENU LABEL")
WITH_MENU = Start(VIRT.kernel, VIRT.initramfs, ("/boot/menu.c32",))
FIRST = Start("/boot/vmlinuz-lts", (), ("/boot/menu.c32",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(EXTLINUX, VIRT, id="by its label"),
        pytest.param(EXTLINUX.lower(), VIRT, id="small letters"),
        pytest.param(EXTLINUX.replace(" ", "\t"), VIRT, id="tabs"),
        pytest.param(EXTLINUX.replace("LINUX v", "KERNEL v"), VIRT, id="KERNEL"),
        pytest.param(EXTLINUX.replace("LINUX v", "LINUX /boot/v"), VIRT, id="absolute"),
        pytest.param(
            EXTLINUX.replace("INITRD i", "INITRD /a.img,i"),
            Start("/boot/vmlinuz-virt", ("/a.img", "/boot/initramfs-virt")),
            id="several",
        ),
        pytest.param(
            EXTLINUX.replace("  INITRD initramfs-virt\n", "").replace("quiet", "initrd=a,b quiet"),
            Start("/boot/vmlinuz-virt", ("/boot/a", "/boot/b")),
            id="initrd= of APPEND",
        ),
        pytest.param(MARKED, WITH_MENU, id="MENU DEFAULT"),
        pytest.param(HIDDEN, FIRST, id="the menu's first"),
        pytest.param(f"UI menu.c32\n{EXTLINUX}", WITH_MENU, id="UI"),
        pytest.param(f"ONTIMEOUT virt\n{HIDDEN}", WITH_MENU, id="ONTIMEOUT"),
        pytest.param(f"ONTIMEOUT no\n{HIDDEN}", None, id="ONTIMEOUT of nothing"),
        pytest.param(EXTLINUX.replace("TIMEOUT 10", ""), VIRT, id="no wait"),
        pytest.param(EXTLINUX.replace("PROMPT 0", "PROMPT 1"), VIRT, id="prompt"),
        pytest.param(MARKED.replace("TIMEOUT 10", "TIMEOUT 0"), None, id="a menu for ever"),
        pytest.param("PROMPT 1\nDEFAULT a\nLABEL a\nLINUX b\n", None, id="a prompt for ever"),
        pytest.param(EXTLINUX.replace("DEFAULT virt", ""), None, id="no default"),
        pytest.param(EXTLINUX.replace("DEFAULT virt", "DEFAULT edge"), None, id="no such label"),
        pytest.param(EXTLINUX.replace("LINUX vmlinuz-virt", "LINUX"), None, id="no kernel"),
        pytest.param(EXTLINUX[:60], None, id="cut"),
        pytest.param("\0" * 200, None, id="zeros"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_default_of_extlinux(text: str, expected: Start | None) -> None:
    assert extlinux.default_entry(text, "/boot") == expected


def program(*values: tuple[int, bytes], broken: tuple[int, ...] = ()) -> bytes:
    """Return a stand-in for ldlinux.sys that keeps these values, with copies that are not whole."""
    data = b"".join(bytes([number, len(value)]) + value for number, value in values)
    words = struct.unpack("<125I", data.ljust(500, b"\0"))
    copy = [0x5A2D2FA5, (0xA3041767 - sum(words)) % (1 << 32), *words, 0xDD28BF64]
    copies = [struct.pack("<128I", *copy) for _number in range(2)]
    for number in broken:
        copies[number] = copies[number][:40] + b"x" + copies[number][41:]
    return b"the program" * 99 + b"".join(copies)


ORDERED = (1, b"lts")


@pytest.mark.parametrize(
    ("content", "label"),
    [
        pytest.param(program(), "", id="nothing"),
        pytest.param(program(ORDERED), "lts", id="an order"),
        pytest.param(program((2, b"menu"), ORDERED), "lts", id="behind something else"),
        pytest.param(program((2, b"menu")), "", id="something else"),
        pytest.param(program(ORDERED, broken=(0,)), "lts", id="the first copy is not whole"),
        pytest.param(program(ORDERED, broken=(0, 1)), "", id="no copy is whole"),
        pytest.param(program(ORDERED)[-600:], "", id="cut"),
        pytest.param(program((1, b"x" * 255)), "x" * 255, id="long"),
        pytest.param(b"program", "", id="another program"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_once_of_extlinux(content: bytes, label: str) -> None:
    assert extlinux.once(content) == label


@pytest.mark.parametrize(
    ("text", "ordered", "expected"),
    [
        pytest.param(EXTLINUX, "lts", Start("/boot/vmlinuz-lts"), id="another"),
        pytest.param(MARKED, "virt", VIRT, id="without the menu"),
        pytest.param(MARKED, "gone", WITH_MENU, id="no such label"),
        pytest.param(EXTLINUX.replace("LINUX vmlinuz-lts", "LINUX"), "lts", None, id="no kernel"),
    ],
)
def test_an_order_for_once_comes_first(text: str, ordered: str, expected: Start | None) -> None:
    assert extlinux.default_entry(text, "/boot", ordered) == expected


def defaults_to(value: str) -> str:
    return GRUB.replace('set default="0"', f'set default="{value}"')


@pytest.mark.parametrize(
    ("text", "state", "expected"),
    [
        pytest.param(GRUB, "", GRUB_VIRT, id="0"),
        pytest.param(GRUB, "# GRUB\nnext_entry=1>0\n####", LTS, id="grub-reboot"),
        pytest.param(GRUB, "next_entry=\n", GRUB_VIRT, id="no grub-reboot"),
        pytest.param(defaults_to("1>1"), "", EDGE, id="number in a submenu"),
        pytest.param(
            defaults_to("gnulinux-advanced-1>gnulinux-lts-1"), "", LTS, id="ids in a submenu"
        ),
        pytest.param(
            defaults_to("Advanced options for Alpine Linux>Alpine Linux, with Linux lts"),
            "",
            LTS,
            id="titles in a submenu",
        ),
        pytest.param(defaults_to("${saved_entry}"), "saved_entry=1>0\n", LTS, id="saved"),
        pytest.param(defaults_to("${saved_entry}"), "", GRUB_VIRT, id="none saved"),
        pytest.param(defaults_to("9"), "", GRUB_VIRT, id="no such number: the first"),
        pytest.param(defaults_to("gone"), "", GRUB_VIRT, id="no such title: the first"),
        pytest.param(GRUB + "set default=2\n", "", None, id="an entry without a kernel"),
        pytest.param(GRUB + "set default=1>1\n", "next_entry=0\n", EDGE, id="set at the end"),
        pytest.param(defaults_to("1"), "", None, id="a submenu"),
        pytest.param(GRUB[: GRUB.index("submenu") + 90], "", None, id="cut in a block"),
        pytest.param(GRUB[: GRUB.index("menuentry '")], "", None, id="no entry"),
        pytest.param(GRUB.replace("'Alpine Linux, with Linux v", "'A"), "", GRUB_VIRT, id="short"),
        pytest.param(GRUB.replace("quiet", "'quiet"), "", None, id="an open quotation"),
        pytest.param("}\n" + GRUB, "", None, id="an end without a begin"),
        pytest.param("\0" * 200, "", None, id="zeros"),
        pytest.param("", "", None, id="nothing"),
    ],
)
def test_default_of_grub(text: str, state: str, expected: Start | None) -> None:
    assert grub.default_entry(text, "/boot/grub", state) == expected


FILES = {
    "/boot/extlinux.conf": EXTLINUX,
    "/boot/vmlinuz-virt": "kernel 2",
    "/boot/initramfs-virt": "initramfs 1",
    "/boot/grub/grub.cfg": GRUB.replace("/boot/intel-ucode.img ", ""),
    "/boot/menu.c32": "module",
}


def sums(*texts: str) -> tuple[str, ...]:
    return tuple(hashlib.sha256(text.encode()).hexdigest() for text in texts)


def image(kernel: str, *initramfs: str) -> Image:
    return Image(sums(kernel)[0], sums(*initramfs))


KNOWN = Known(
    menus=frozenset(
        sums(EXTLINUX, MARKED, FILES["/boot/grub/grub.cfg"], EXTLINUX.replace("INITRD", "#"))
    ),
    images={
        image("kernel 1", "initramfs 1"): "old",
        image("kernel 2", "initramfs 1"): "new",
        image("kernel 4", "microcode", "initramfs 4"): "slot",
    },
)
MENUS = {"extlinux": Menu("extlinux", "/boot/extlinux.conf")}
MENUS["grub"] = Menu("grub", "/boot/grub/grub.cfg")


def verdict(kind: str, changes: dict[str, str | None], known: Known = KNOWN) -> Verdict:
    """Return what is said of the files with these changes; `+` at the end is what is lost."""
    files = {path: text for path, text in {**FILES, **changes}.items() if text is not None}

    def look(path: str) -> Content | None:
        text = files.get(path)
        if text is None:
            return None
        return Content(text.removesuffix("+").encode(), len(text))

    return judge(MENUS[kind], look, known)


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        ("extlinux", {}, "ok"),
        ("grub", {}, "ok"),
        ("extlinux", {"/boot/vmlinuz-virt": "kernel 1"}, "ok"),
        ("extlinux", {"/boot/extlinux.conf": None}, "menu_missing"),
        ("extlinux", {"/boot/extlinux.conf": ""}, "menu_empty"),
        ("extlinux", {"/boot/extlinux.conf": "\0" * 491}, "no_default_entry"),
        ("extlinux", {"/boot/extlinux.conf": EXTLINUX[:-1] + "+"}, "menu_not_whole"),
        ("extlinux", {"/boot/extlinux.conf": EXTLINUX + "# own\n"}, "menu_not_known"),
        ("extlinux", {"/boot/extlinux.conf": MARKED}, "ok"),
        ("extlinux", {"/boot/vmlinuz-virt": "kernel 4"}, "mixed"),
        ("extlinux", {"/boot/initramfs-virt": "initramfs 4"}, "mixed"),
        ("grub", {"/boot/initramfs-virt": "initramfs 4"}, "mixed"),
        (
            "extlinux",
            {"/boot/vmlinuz-virt": "kernel 4", "/boot/extlinux.conf": EXTLINUX + "#"},
            "mixed",
        ),
        ("extlinux", {"/boot/extlinux.conf": MARKED, "/boot/menu.c32": None}, "module_missing"),
        ("extlinux", {"/boot/extlinux.conf": MARKED, "/boot/menu.c32": ""}, "module_empty"),
        ("extlinux", {"/boot/vmlinuz-virt": None}, "kernel_missing"),
        ("extlinux", {"/boot/vmlinuz-virt": ""}, "kernel_empty"),
        ("extlinux", {"/boot/vmlinuz-virt": "kern+"}, "kernel_not_whole"),
        ("extlinux", {"/boot/vmlinuz-virt": "kernel 3"}, "kernel_not_known"),
        ("grub", {"/boot/vmlinuz-virt": "kernel 3"}, "kernel_not_known"),
        ("grub", {"/boot/grub/grubenv": "next_entry=1>0\n"}, "kernel_missing"),
        ("extlinux", {"/boot/initramfs-virt": None}, "initramfs_missing"),
        ("extlinux", {"/boot/initramfs-virt": ""}, "initramfs_empty"),
        ("extlinux", {"/boot/initramfs-virt": "init+"}, "initramfs_not_whole"),
        ("extlinux", {"/boot/initramfs-virt": "\0" * 99}, "initramfs_not_known"),
        (
            "extlinux",
            {"/boot/extlinux.conf": EXTLINUX.replace("INITRD", "#")},
            "initramfs_missing",
        ),
        (
            "extlinux",
            {"/boot/extlinux.conf": EXTLINUX[:-1], "/boot/vmlinuz-virt": None},
            "kernel_missing",
        ),
    ],
)
def test_judge(kind: str, changes: dict[str, str | None], code: str) -> None:
    assert verdict(kind, changes).code == code


def test_judge_without_initramfs_wants_none() -> None:
    known = Known(KNOWN.menus, {image("kernel 2"): "bare"})
    text = EXTLINUX.replace("INITRD", "#")
    assert verdict("extlinux", {"/boot/extlinux.conf": text}, known).code == "ok"


def test_judge_tells_what_it_found() -> None:
    told = verdict("extlinux", {"/boot/vmlinuz-virt": "kern+"})
    assert told.found == "/boot/vmlinuz-virt has 5 bytes and 4 can be read"
    assert [path for path, _sum in told.sums] == ["/boot/extlinux.conf", "/boot/vmlinuz-virt"]


SLOT: dict[str, str | None] = {
    "/boot/vmlinuz-virt": "kernel 4",
    "/boot/intel-ucode.img": "microcode",
    "/boot/initramfs-virt": "initramfs 4",
    "/boot/extlinux.conf": EXTLINUX.replace("INITRD ", "INITRD intel-ucode.img,"),
}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param({}, "new", id="new"),
        pytest.param({"/boot/vmlinuz-virt": "kernel 1"}, "old", id="old"),
        pytest.param(SLOT, "slot", id="of several files"),
        pytest.param(
            {
                **SLOT,
                "/boot/extlinux.conf": EXTLINUX.replace(
                    "D i", "D initramfs-virt,intel-ucode.img,i"
                ),
            },
            "",
            id="in another order",
        ),
        pytest.param({"/boot/vmlinuz-virt": "kernel 4"}, "", id="mixed"),
        pytest.param({"/boot/vmlinuz-virt": None}, "", id="no kernel"),
        pytest.param({"/boot/extlinux.conf": EXTLINUX + "#"}, "new", id="a menu that is not known"),
        pytest.param({"/boot/extlinux.conf": None}, "", id="no menu"),
    ],
)
def test_judge_names_what_would_be_started(changes: dict[str, str | None], found: str) -> None:
    told = verdict("extlinux", changes)
    assert told.image == found
    assert told.code != "ok" or told.found.startswith(f"{found}: /boot/")


def test_judge_looks_at_what_extlinux_is_ordered_to_start_once() -> None:
    menu = EXTLINUX.replace("LINUX vmlinuz-lts", "LINUX vmlinuz-lts\n  INITRD initramfs-virt")
    files = {path: text.encode() for path, text in FILES.items()}
    files |= {"/boot/extlinux.conf": menu.encode(), "/boot/vmlinuz-lts": b"kernel 1"}

    def started(kept: bytes) -> str:
        found = {**files, "/boot/ldlinux.sys": kept}
        look = {path: Content(data, len(data)) for path, data in found.items()}.get
        return judge(MENUS["extlinux"], look, Known(None, KNOWN.images)).image

    assert started(program(ORDERED)) == "old"
    assert started(program()) == "new"


def test_any_menu_will_do_that_starts_what_is_known() -> None:
    known = Known(None, KNOWN.images)
    changed: dict[str, str | None] = {"/boot/extlinux.conf": EXTLINUX + "# own\n"}
    assert verdict("extlinux", changed, known).code == "ok"
    assert verdict("extlinux", {"/boot/extlinux.conf": ""}, known).code == "menu_empty"
    assert verdict("extlinux", SLOT, known).code == "ok"


def test_judge_imports_nothing_of_the_collection() -> None:
    sources = [path.read_text() for path in PACKAGE.rglob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert modules >= {"__future__", "hashlib", "views"}
    assert not [name for name in modules if "ansible" in name or "plugins" in name]

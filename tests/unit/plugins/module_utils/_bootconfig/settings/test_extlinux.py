# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extlinux.conf and syslinux.cfg as they are edited, and all else stays."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import extlinux
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, extlinux.lines, [change], "x86_64")["f"]


def edited_for_uboot(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, extlinux.lines_of_uboot, [change], "aarch64")["f"]


MEDIUM = """\
TIMEOUT 10
PROMPT 1
DEFAULT lts

LABEL lts
MENU LABEL Linux lts, panic=1
KERNEL /boot/vmlinuz-lts
INITRD /boot/initramfs-lts
FDTDIR /boot/dtbs-lts
APPEND modules=loop,squashfs,sd-mod,usb-storage quiet panic_on_oops=1
"""
UBOOT = """\
menu title Alpine Linux
timeout 50
default lts
label lts
\tkernel /vmlinuz-lts
\tinitrd /initramfs-lts
\tfdtdir /dtbs-lts
\tappend root=UUID=1 modules=ext4 quiet
"""
HELP = """\
LABEL a
  LINUX vmlinuz
  TEXT HELP
  APPEND panic=1
  ENDTEXT
  APPEND a
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_edit_of_a_medium(end: str, last: bool) -> None:
    before = MEDIUM.replace("\n", end)
    before = before if last else before.removesuffix(end)
    after = edited(before)
    assert after == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after, NO_PANIC) == before


def test_edit_for_uboot() -> None:
    assert edited_for_uboot(UBOOT) == UBOOT.replace("quiet", "quiet panic=10")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "LABEL a\n  LINUX k\nLABEL b\n  LINUX k\n  APPEND b\n",
            "LABEL a\n  LINUX k\n  APPEND panic=10\nLABEL b\n  LINUX k\n  APPEND b panic=10\n",
            id="one without",
        ),
        pytest.param(
            "LABEL a\r\n\tLINUX k\r\n", "LABEL a\r\n\tLINUX k\r\n\tAPPEND panic=10\r\n", id="CRLF"
        ),
        pytest.param("LABEL a\nLINUX k", "LABEL a\nLINUX k\nAPPEND panic=10", id="last line"),
        pytest.param(
            "APPEND x\nLABEL a\nLINUX k\n",
            "APPEND x panic=10\nLABEL a\nLINUX k\n",
            id="common one in force",
        ),
        pytest.param(
            "APPEND x\nLABEL a\nLINUX k\nAPPEND y\nLABEL b\nLINUX k\nAPPEND -\n",
            "APPEND x panic=10\nLABEL a\nLINUX k\nAPPEND y panic=10\n"
            "LABEL b\nLINUX k\nAPPEND panic=10\n",
            id="common one replaced",
        ),
        pytest.param(
            "LABEL a\nLINUX k\nAPPEND\n", "LABEL a\nLINUX k\nAPPEND panic=10\n", id="bare"
        ),
        pytest.param(
            "LABEL a\nCOM32 reboot.c32\nLABEL m\nKERNEL mboot.c32\nAPPEND xen.gz --- k\n"
            "LABEL l\nLOCALBOOT 0\nAPPEND q\nLABEL k\nKERNEL k\nAPPEND a\n",
            "LABEL a\nCOM32 reboot.c32\nLABEL m\nKERNEL mboot.c32\nAPPEND xen.gz --- k\n"
            "LABEL l\nLOCALBOOT 0\nAPPEND q\nLABEL k\nKERNEL k\nAPPEND a panic=10\n",
            id="programs",
        ),
        pytest.param(
            "label a\nlinux k\n# append panic=1\nappend panic=1 panic_x\n",
            "label a\nlinux k\n# append panic=1\nappend panic=10 panic_x\n",
            id="comment and prefix",
        ),
        pytest.param(HELP, HELP.replace("APPEND a", "APPEND a panic=10"), id="help text"),
        pytest.param(
            'LABEL a\nLINUX k\nAPPEND d="a panic=1" panic=2\n',
            'LABEL a\nLINUX k\nAPPEND d="a panic=1" panic=10\n',
            id="quotes",
        ),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


@pytest.mark.parametrize(
    ("before", "absent", "present"),
    [
        pytest.param(
            "LABEL a\nKERNEL k root=x panic=5 quiet\n",
            "LABEL a\nKERNEL k root=x quiet\n",
            "LABEL a\nKERNEL k root=x panic=10 quiet\n",
            id="there alone",
        ),
        pytest.param(
            "LABEL a\nLINUX k root=x quiet\n",
            "LABEL a\nLINUX k root=x quiet\n",
            "LABEL a\nLINUX k root=x quiet panic=10\n",
            id="others alone",
        ),
        pytest.param(
            "LABEL a\nKERNEL k root=x panic=5 quiet\nAPPEND a panic=3 b\n",
            "LABEL a\nKERNEL k root=x quiet\nAPPEND a b\n",
            "LABEL a\nKERNEL k root=x quiet\nAPPEND a panic=10 b\n",
            id="there and in APPEND",
        ),
        pytest.param(
            "APPEND c panic=1\nLABEL a\nKERNEL k q panic=5\n",
            "APPEND c\nLABEL a\nKERNEL k q\n",
            "APPEND c panic=10\nLABEL a\nKERNEL k q\n",
            id="there and in the common APPEND",
        ),
    ],
)
def test_parameters_behind_the_name_of_the_kernel(before: str, absent: str, present: str) -> None:
    assert (edited(before, NO_PANIC), edited(before)) == (absent, present)
    assert (edited(absent, NO_PANIC), edited(present)) == (absent, present)


def test_edit_of_ten_entries() -> None:
    before = "".join(f"LABEL l{n}\n LINUX k{n}\n APPEND n={n}\n" for n in range(10))
    after = "".join(f"LABEL l{n}\n LINUX k{n}\n APPEND n={n} panic=10\n" for n in range(10))
    assert edited(before) == after
    assert edited(after, NO_PANIC) == before


def test_absent_leaves_a_dash_so_that_no_common_one_comes_into_force() -> None:
    text = "APPEND x\nLABEL a\nLINUX k\nAPPEND panic=1\n"
    assert edited(text, NO_PANIC) == "APPEND x\nLABEL a\nLINUX k\nAPPEND -\n"


@pytest.mark.parametrize(
    "text",
    ["panic=1", "panic=1 panic=2 ", "panic panic=", "panic=10\nlabel b\nlinux k\nappend quiet"],
)
def test_absent_leaves_no_empty_append_to_uboot(text: str) -> None:
    """Such a file is none to it, and without the line its own command line would count."""
    with pytest.raises(ReasonError) as caught:
        edited_for_uboot(f"label a\nlinux k\nappend {text}\n", NO_PANIC)
    assert caught.value.reason.code == "parameter_invalid"
    assert "it is the last one, and U-Boot takes no menu" in caught.value.reason.message
    assert caught.value.reason.remedy == "Set another parameter beside it first."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("label a\nlinux k\n", id="alone"),
        pytest.param("label a\nlinux k\ninitrd i\nfdtdir /d\n", id="between others"),
        pytest.param(f"{UBOOT}label b\nlinux k\n", id="beside one that has"),
        pytest.param("label a\nlinux k\n# append x\n", id="in a comment"),
    ],
)
@pytest.mark.parametrize("change", [PANIC, NO_PANIC], ids=["present", "absent"])
def test_uboot_gets_no_append_where_none_was(text: str, change: Change) -> None:
    with pytest.raises(NotUnderstoodError, match="a new one would replace the command line"):
        edited_for_uboot(text, change)


@pytest.mark.parametrize(
    "text", ["foo='a b'", "it's", "a\\b", "'quoted' $x"], ids=["quotes", "one", "backslash", "word"]
)
def test_quotes_of_uboot_are_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError, match="a quote or a backslash"):
        edited_for_uboot(UBOOT.replace("quiet", text))


def test_variable_of_uboot_stays() -> None:
    text = UBOOT.replace("quiet", "${cbootargs} quiet")
    assert edited_for_uboot(text) == text.replace("quiet", "quiet panic=10")


@pytest.mark.parametrize(
    "text", ["x panic=1 #y", "panic=1 #y", "panic=1 # y z"], ids=["later", "first", "alone"]
)
def test_nothing_becomes_a_comment_to_uboot(text: str) -> None:
    before = f"label a\nlinux k\nappend {text}\n"
    if text.startswith("x"):
        assert edited_for_uboot(before, NO_PANIC) == before.replace(" panic=1", "")
        return
    with pytest.raises(NotUnderstoodError, match="stumble over 'append'"):
        edited_for_uboot(before, NO_PANIC)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "APPEND root=x\nLABEL a\nKERNEL k panic=5\nLABEL b\nLINUX k\n",
            "APPEND root=x panic=10\nLABEL a\nKERNEL k \nLABEL b\nLINUX k\n",
            id="behind the kernel",
        ),
        pytest.param(
            "APPEND root=x\nLABEL a\nKERNEL k panic=5 quiet\n",
            "APPEND root=x panic=10\nLABEL a\nKERNEL k quiet\n",
            id="with others",
        ),
        pytest.param(
            "APPEND panic=3 root=x\nLABEL a\nKERNEL k panic=5\nLABEL b\nKERNEL k panic=10\n",
            "APPEND panic=10 root=x\nLABEL a\nKERNEL k \nLABEL b\nKERNEL k \n",
            id="in all of them",
        ),
        pytest.param(
            "APPEND -\nLABEL a\nKERNEL k panic=5\nLABEL b\nLINUX k\n",
            "APPEND panic=10\nLABEL a\nKERNEL k \nLABEL b\nLINUX k\n",
            id="a dash in common",
        ),
    ],
)
def test_one_edit_settles_what_labels_share(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


def test_way_to_another_menu_is_no_entry() -> None:
    text = "LABEL a\nLINUX k\nAPPEND x\nLABEL b\nMENU GOTO c\nLABEL d\nMENU QUIT\n"
    assert edited(text) == text.replace("x", "x panic=10")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("set default=0\nmenuentry 'Alpine' {\n\tlinux /k\n}\n", id="GRUB's"),
        pytest.param("LABEL a\nCOM32 menu.c32\nAPPEND x\n", id="programs only"),
        pytest.param("INCLUDE other.cfg\nLABEL a\nLINUX k\n", id="another file"),
        pytest.param("MENU BEGIN x\nLABEL a\nLINUX k\nMENU END\n", id="menu inside a menu"),
    ],
)
def test_what_is_no_plain_menu_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text)


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["LINUX k", "KERNEL /k", "KERNEL menu.c32", "LOCALBOOT 0"]),
        st.sampled_from(["APPEND a", "append  a=1 panic_on_oops", "APPEND -", "APPEND x -- y "]),
    ),
    max_size=10,
)


@given(ENTRIES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "APPEND all"]))
def test_present_then_absent_restores_the_menu(
    entries: list[tuple[str, str]], end: str, common: str
) -> None:
    rows = [f"LABEL {n}{end}{kernel}{end}{append}" for n, (kernel, append) in enumerate(entries)]
    before = end.join([common, *rows])
    try:
        after = edited(before)
    except NotUnderstoodError:
        return
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""limine.conf as it is edited, and all else stays."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import limine
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from hypothesis import given
from hypothesis import strategies as st

PANIC, NO_PANIC = Change("panic", "10"), Change("panic", present=False)


def edited(text: str, change: Change = PANIC) -> str:
    return edit.edit({"f": text}, limine.lines, [change], "x86_64")["f"]


LABEL = "alpinefleet-kexec-6.18.38-0-virt-0123456789ab"
MENU = """\
timeout: 3
# kernel_cmdline: panic=1

/Alpine Linux lts
    protocol: linux
    path: boot():/vmlinuz-lts
    kernel_cmdline: root=UUID=1 quiet panic_on_oops=1
    module_path: boot():/initramfs-lts
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_edit(end: str, last: bool) -> None:
    before = MENU.replace("\n", end)
    before = before if last else before.removesuffix(end)
    after = edited(before)
    assert after == before.replace("panic_on_oops=1", "panic_on_oops=1 panic=10")
    assert edited(after) == after
    assert edited(after, NO_PANIC) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "/a\nPROTOCOL: linux\nCmdline:panic=1\n",
            "/a\nPROTOCOL: linux\nCmdline:panic=10\n",
            id="short name in any case",
        ),
        pytest.param(
            "/a\n  protocol: linux\n  path: k\n/b\n",
            "/a\n  protocol: linux\n  path: k\n  cmdline: panic=10\n/b\n",
            id="none yet",
        ),
        pytest.param(
            "/a\n  protocol: efi\n  cmdline: x\n/b\n  protocol: linux\n  cmdline:\n",
            "/a\n  protocol: efi\n  cmdline: x\n/b\n  protocol: linux\n  cmdline:panic=10\n",
            id="another protocol",
        ),
        pytest.param(
            "/+a\n//b\n  protocol: linux\n  cmdline: a\n",
            "/+a\n//b\n  protocol: linux\n  cmdline: a panic=10\n",
            id="directory",
        ),
        pytest.param(
            f"/{LABEL}\n  protocol: linux\n  cmdline: a\n/b\n  protocol: linux\n  cmdline: b\n",
            f"/{LABEL}\n  protocol: linux\n  cmdline: a\n"
            "/b\n  protocol: linux\n  cmdline: b panic=10\n",
            id="slot",
        ),
        pytest.param(
            '/a\nprotocol: linux\ncmdline: d="x panic=1" panic=1 panic=2\n',
            '/a\nprotocol: linux\ncmdline: d="x panic=1" panic=10\n',
            id="quotes and duplicates",
        ),
    ],
)
def test_present(before: str, after: str) -> None:
    assert edited(before) == after
    assert edited(after) == after


def test_edit_of_ten_entries() -> None:
    rows = [f"/l{n}\n  protocol: linux\n  cmdline: n={n}\n" for n in range(10)]
    after = edited("".join(rows))
    assert after == "".join(row.replace(f"n={n}", f"n={n} panic=10") for n, row in enumerate(rows))
    assert edited(after, NO_PANIC) == "".join(rows)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("LABEL a\nLINUX k\nAPPEND x\n", id="extlinux's"),
        pytest.param(":a\nPROTOCOL=linux\nCMDLINE=x\n", id="before version 8"),
        pytest.param("/a\nprotocol: linux\ncmdline: ${ROOT}\n", id="macro"),
        pytest.param("/a\nprotocol: linux\ncmdline: a\nkernel_cmdline: b\n", id="two"),
    ],
)
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        edited(text)


@given(st.lists(st.sampled_from(["a", "b=1", "panic_x", '"x y"', "--"]), min_size=1, max_size=6))
def test_present_then_absent_restores_the_file(words: list[str]) -> None:
    before = MENU.replace("root=UUID=1 quiet", "  ".join(words))
    after = edited(before)
    assert after != before
    assert edited(after, NO_PANIC) == before

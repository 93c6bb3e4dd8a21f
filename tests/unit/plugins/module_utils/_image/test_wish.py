# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options about an image become a value, or are refused before anything is looked at."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError

PARAMS: dict[str, t.Any] = {
    "kernel": None,
    "initramfs": None,
    "flavour": None,
    "cmdline_source": "auto",
    "cmdline": None,
    "cmdline_append": [],
    "cmdline_remove": [],
    "panic_timeout": 0,
    "denied_platforms": [],
    "ignore_reasons": [],
}


# --- The wish ------------------------------------------------------------------------------


def test_wish_of_no_option() -> None:
    assert choose.wish_of(PARAMS) == Wish()


def test_wish_of_every_option() -> None:
    params = {
        "kernel": "/k",
        "initramfs": ["/a", "/b"],
        "flavour": "virt",
        "cmdline_source": "explicit",
        "cmdline": "root=/dev/vda1",
        "cmdline_append": ["a"],
        "cmdline_remove": ["b"],
        "panic_timeout": 10,
        "denied_platforms": ["QEMU Standard PC"],
        "ignore_reasons": ["memory_low"],
        "controller_boot_id": "d7a0c3f2",
    }
    assert choose.wish_of(params) == Wish(
        kernel="/k",
        initramfs=("/a", "/b"),
        flavour="virt",
        cmdline_source="explicit",
        cmdline="root=/dev/vda1",
        append=("a",),
        remove=("b",),
        ignore=("memory_low",),
        controller_boot_id="d7a0c3f2",
        panic_timeout=10,
        denied_platforms=("QEMU Standard PC",),
    )


@pytest.mark.parametrize("seconds", [0, 1, 2147483647])
def test_wish_takes_a_panic_timeout(seconds: int) -> None:
    assert choose.wish_of({**PARAMS, "panic_timeout": seconds}).panic_timeout == seconds


def test_wish_tells_no_initramfs_from_no_word_about_it() -> None:
    assert choose.wish_of({**PARAMS, "initramfs": []}).initramfs == ()
    assert choose.wish_of(PARAMS).initramfs is None


WRONG: list[t.Any] = [
    pytest.param(
        {"cmdline": "root=/dev/vda1"},
        "The option cmdline is set and cmdline_source is auto.",
        "Set cmdline_source to explicit",
        id="command line without effect",
    ),
    pytest.param(
        {"cmdline": "", "cmdline_source": "running"},
        "The option cmdline is set and cmdline_source is running.",
        "Set cmdline_source to explicit",
        id="empty command line without effect",
    ),
    *(
        pytest.param(
            {"cmdline": cmdline, "cmdline_source": "explicit"},
            "the option cmdline is empty",
            "Write the whole command line into cmdline",
            id=f"explicit command line {name}",
        )
        for name, cmdline in {"null": None, "empty": "", "blank": " \n"}.items()
    ),
    *(
        pytest.param(
            {"panic_timeout": seconds},
            f"The option panic_timeout is {seconds} and must be between 0 and 2147483647.",
            "It is a number of seconds; 0 switches it off.",
            id=f"panic timeout {name}",
        )
        for name, seconds in {"negative": -1, "too large": 2**31}.items()
    ),
]


@pytest.mark.parametrize(("params", "message", "remedy"), WRONG)
def test_wish_refuses(params: dict[str, t.Any], message: str, remedy: str) -> None:
    with pytest.raises(ReasonError) as caught:
        choose.wish_of({**PARAMS, **params})
    found = caught.value.reason
    assert (found.code, found.blocks) == ("cmdline_invalid", "reboot")
    assert message in found.message
    assert remedy in found.remedy

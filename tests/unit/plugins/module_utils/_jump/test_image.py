# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note of the image that was loaded, whatever somebody else wrote in its place."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import image as image_note
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.image import Image, Loaded
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

CMDLINE = "root=/dev/vda1 quiet"
UCODE, INITRAMFS = "/boot/intel-ucode.img", "/boot/initramfs-virt"
IDENTITY = (("/boot/vmlinuz-virt", 1, 2, 3, 4, 5), ("/boot/gone",))
IMAGE = Image("/boot/vmlinuz-virt", (INITRAMFS,), CMDLINE, IDENTITY)
SEVERAL = Image("/boot/vmlinuz-virt", (UCODE, INITRAMFS), CMDLINE, IDENTITY)


def note(**changes: t.Any) -> str:
    return json.dumps({**IMAGE.as_record(), **changes})


def test_loaded_is_what_the_note_says(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.IMAGE, note(cmdline="other"))
    assert image_note.loaded(alpine.host, present=True) == Loaded(
        True, Image(IMAGE.kernel, IMAGE.initramfs, "other", IDENTITY)
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no note"),
        pytest.param("", id="empty"),
        pytest.param("{", id="cut"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="nothing"),
        pytest.param('{"kernel": "/k"}', id="incomplete"),
        pytest.param(note(initramfs=1), id="an initramfs that is none"),
        pytest.param(note(initramfs="/i"), id="an initramfs without a list"),
        pytest.param(note(initramfs=[None]), id="an initramfs without a name"),
        pytest.param(note(kernel=None), id="a kernel without a name"),
        pytest.param(note(cmdline=["quiet"]), id="a command line of words"),
        pytest.param(note(identity={}), id="files without a list"),
        pytest.param(note(identity=["/k"]), id="a file that is only named"),
        pytest.param(note(identity=[["/k", True]]), id="a file with a truth for a number"),
        pytest.param(note(identity=[["/k", 1.5]]), id="a file with a part of a number"),
        pytest.param("[" * 100_000, id="brackets without end"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_loaded_without_a_note_that_can_be_read(
    alpine: fakes.FakeHost, content: str | bytes | None
) -> None:
    if content is not None:
        alpine.write(notes.IMAGE, content)
    found = image_note.loaded(alpine.host, present=True)
    assert found == Loaded(True, None)
    assert found.as_text() == "an image that was not loaded by alpinefleet.kexec\n"
    assert not found.is_image(IMAGE)


def test_loaded_does_not_believe_a_note_without_an_image(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.IMAGE, note())
    found = image_note.loaded(alpine.host, present=False)
    assert not found.is_image(IMAGE)
    assert found.as_text() == ""


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Image("/boot/vmlinuz-lts", (INITRAMFS,), CMDLINE, IDENTITY), id="kernel"),
        pytest.param(SEVERAL, id="initramfs"),
        pytest.param(
            Image("/boot/vmlinuz-virt", (INITRAMFS,), f"{CMDLINE} a", IDENTITY), id="command line"
        ),
        pytest.param(
            Image("/boot/vmlinuz-virt", (INITRAMFS,), CMDLINE, ()), id="files written since"
        ),
    ],
)
def test_loaded_is_another_image_if_anything_differs(alpine: fakes.FakeHost, other: Image) -> None:
    alpine.write(notes.IMAGE, note())
    assert not image_note.loaded(alpine.host, present=True).is_image(other)


def test_image_as_a_diff_shows_it(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.IMAGE, json.dumps(SEVERAL.as_record()))
    text = (
        "kernel: /boot/vmlinuz-virt\n"
        "initramfs: /boot/intel-ucode.img\n"
        "initramfs: /boot/initramfs-virt\n"
        "cmdline: root=/dev/vda1 quiet\n"
    )
    assert SEVERAL.as_text() == text
    assert image_note.loaded(alpine.host, present=True).as_text() == text

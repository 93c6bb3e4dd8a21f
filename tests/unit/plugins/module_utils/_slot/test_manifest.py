# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a slot: its name follows from it, and its file vouches for itself."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import is_id
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import manifest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.manifest import Modules, Sum
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

OTHER = Sum("d" * 64, 100)
FILES = slots.manifest().files


def test_text_is_read_as_it_was_written() -> None:
    for found in (
        slots.manifest(),
        slots.manifest(cmdline="a=\udcff é"),
        slots.manifest(files=DTBS),
    ):
        assert manifest.parse(found.as_text()) == found


DTBS = {**FILES, "dtbs/vendor/board.dtb": OTHER}


def test_name_begins_with_the_release_and_is_that_of_a_slot() -> None:
    name = slots.manifest().id
    assert name.startswith(f"{fakes.RELEASE}-")
    assert is_id(name)


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({}, ()),
        ({"release": "6.18.57-0-virt"}, ("kernel",)),
        ({"flavour": "lts"}, ("flavour",)),
        ({"cmdline": "root=UUID=2"}, ("cmdline",)),
        ({"files": {**FILES, "linux": OTHER}}, ("kernel",)),
        ({"files": {**FILES, "initrd": OTHER}}, ("initramfs",)),
        ({"files": {"linux": FILES["linux"]}}, ("initramfs",)),
        ({"files": DTBS}, ("dtbs",)),
        ({"modules": Modules(8, "c" * 64)}, ("modules",)),
        (
            {"modules": Modules(7, "e" * 64), "cmdline": "", "files": {"linux": OTHER}},
            ("kernel", "initramfs", "cmdline", "modules"),
        ),
    ],
)
def test_other_content_has_another_name_and_says_in_what(
    changed: dict[str, t.Any], because: tuple[str, ...]
) -> None:
    one, other = slots.manifest(), slots.manifest(**changed)
    assert one.differences(other) == because
    assert (one.id == other.id) is (because == ())


def test_order_of_files_makes_no_other_slot() -> None:
    assert slots.manifest(files=dict(reversed(list(FILES.items())))).id == slots.manifest().id


def test_size_is_that_of_all_files() -> None:
    assert slots.manifest().size == 300
    assert not slots.manifest().has_dtbs
    assert slots.manifest(files=DTBS).has_dtbs


def test_part_is_a_file_or_the_modules() -> None:
    found = slots.manifest()
    parts = [found.part(name) for name in ("linux", "modules", "manifest")]
    assert parts == [FILES["linux"], found.modules, None]


WHOLE = json.loads(slots.manifest().as_text())


DAMAGES: tuple[dict[str, t.Any], ...] = (
    {"version": 2},
    {"id": "6.18-000000000000"},
    {"cmdline": "another"},
    {"cmdline": None},
    {"release": 6},
    {"files": {}},
    {"files": {"linux": ["0", 1]}},
    {"files": {"linux": ["a" * 64, -1]}},
    {"files": {"linux": ["a" * 64, True]}},
    {"files": {"linux": ["a" * 64]}},
    {"modules": None},
    {"modules": {"count": "7", "sha256": "c" * 64}},
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("\0" * 80, id="zeros"),
        pytest.param(slots.manifest().as_text()[:-20], id="a part"),
        pytest.param("[" * 100_000, id="depth"),
        pytest.param("[]", id="a list"),
        *(
            pytest.param(json.dumps({**WHOLE, **changed}), id=str(changed)[:60])
            for changed in DAMAGES
        ),
    ],
)
def test_what_was_not_written_so_is_not_understood(text: str) -> None:
    assert manifest.parse(text) is None


@pytest.mark.parametrize(
    "files",
    [
        {"initrd": OTHER},
        {"linux": OTHER, "../x": OTHER},
        {"linux": OTHER, "dtbs/../../x": OTHER},
        {"linux": OTHER, "dtbs//x": OTHER},
        {"linux": OTHER, "/etc/passwd": OTHER},
    ],
    ids=str,
)
def test_file_that_is_in_no_slot_is_not_understood(files: dict[str, Sum]) -> None:
    assert manifest.parse(slots.manifest(files=files).as_text()) is None


@pytest.mark.parametrize("release", ["", "../x", "6.18..1", "a b"])
def test_release_that_can_be_no_name_is_not_understood(release: str) -> None:
    assert manifest.parse(slots.manifest(release=release).as_text()) is None

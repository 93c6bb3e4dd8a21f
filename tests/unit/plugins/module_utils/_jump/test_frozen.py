# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note on an image that was loaded before kexec was locked."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import note

from tests.unit import fakes

NOTE = "/run/alpinefleet-kexec/frozen"
SUM = "0" * 64


def test_read_of_what_the_service_wrote(alpine: fakes.FakeHost) -> None:
    alpine.freeze("abc-1", "root=LABEL=root quiet")
    assert note.read_frozen(alpine.host) == note.Frozen(
        "abc-1", "root=LABEL=root quiet", "/boot/vmlinuz-virt", ("/boot/initramfs-virt",), True
    )


@pytest.mark.parametrize("path", ["/boot/vmlinuz-virt", "/boot/initramfs-virt"])
def test_read_sees_that_a_file_changed(alpine: fakes.FakeHost, path: str) -> None:
    alpine.freeze()
    alpine.cut(path, 10)
    found = note.read_frozen(alpine.host)
    assert found is not None
    assert not found.current


def test_read_sees_that_a_file_is_gone(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    alpine.remove("/boot/vmlinuz-virt")
    found = note.read_frozen(alpine.host)
    assert found is not None
    assert not found.current


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("abc\n", id="token alone"),
        pytest.param("abc\nquiet\n", id="no file"),
        pytest.param(f"a b\nquiet\n{SUM}  /boot/vmlinuz-virt\n", id="not a token"),
        pytest.param(f"abc\nquiet\n{SUM}  /boot/vmlinuz-virt\nrm -rf\n", id="not a sum"),
        pytest.param(f"abc\nquiet\n{SUM}  boot/vmlinuz-virt\n", id="not a path"),
    ],
)
def test_read_of_something_else(alpine: fakes.FakeHost, text: str) -> None:
    alpine.write(NOTE, text)
    assert note.read_frozen(alpine.host) is None


def test_read_of_no_note(alpine: fakes.FakeHost) -> None:
    assert note.read_frozen(alpine.host) is None

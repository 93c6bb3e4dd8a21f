# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notes of a jump and of a load: what they say, what they prove, and what garbage is taken for."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import note
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.note import Jump
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from hypothesis import given
from hypothesis import strategies as st

BEFORE = "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"
TOKEN = fakes.TOKEN
TIME = "2026-11-26T05:40:57Z"
NOTE = fakes.JUMP
JUMP = Jump(TOKEN, BEFORE, fakes.RELEASE, TIME)

NOTES: dict[str, tuple[str, Jump]] = {
    "with the oops": (f"{NOTE.strip()} 0\n", JUMP),
    "with an oops that was not read": (f"{NOTE.strip()} ", JUMP),
    "whole": (NOTE, JUMP),
    "without a line feed": (NOTE.strip(), JUMP),
    "a release that is not known": (
        f"{TOKEN} {BEFORE} - 1795671657\n",
        Jump(TOKEN, BEFORE, None, TIME),
    ),
    "an empty release": (f"{TOKEN} {BEFORE}  1795671657\n", Jump(TOKEN, BEFORE, None, TIME)),
    "cut in the time": (f"{TOKEN} {BEFORE} 6.18 ", Jump(TOKEN, BEFORE, "6.18")),
    "cut before the time": (f"{TOKEN} {BEFORE} 6.18", Jump(TOKEN, BEFORE, "6.18")),
    "cut before the release": (f"{TOKEN} {BEFORE}", Jump(TOKEN, BEFORE)),
    "cut in the boot": (f"{TOKEN} {BEFORE[:-1]}", Jump(TOKEN)),
    "only a token": (TOKEN, Jump(TOKEN)),
    "another form": ("The host jumped.", Jump("The")),
    "a time that is none": (f"{TOKEN} {BEFORE} 6.18 soon", Jump(TOKEN, BEFORE)),
    "a time that is too long": (f"{TOKEN} {BEFORE} 6.18 17956716570", Jump(TOKEN, BEFORE)),
    "a release that steers a terminal": (f"{TOKEN} {BEFORE} \x1b[2J 1", Jump(TOKEN, BEFORE)),
    "two lines": (NOTE + NOTE, Jump(TOKEN, BEFORE)),
    "the end of time": (
        f"{TOKEN} {BEFORE} - 9999999999",
        Jump(TOKEN, BEFORE, None, "2286-11-20T17:46:39Z"),
    ),
}

GARBAGE: dict[str, str] = {
    "empty": "",
    "a line feed": "\n",
    "a token with another sign": f"a=b {BEFORE} 6.18 1",
    "zeros": "\0" * 64,
}


@pytest.mark.parametrize(("text", "jump"), NOTES.values(), ids=NOTES)
def test_parse(text: str, jump: Jump) -> None:
    assert note.parse(text) == jump


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_parse_of_garbage(text: str) -> None:
    assert note.parse(text) == Jump()


@given(st.text())
def test_parse_takes_anything(text: str) -> None:
    assert note.hung(note.parse(text), fakes.BOOT_ID, ["quiet"])


def test_read(alpine: fakes.FakeHost) -> None:
    assert note.read(alpine.host) is None
    alpine.write(notes.JUMP, NOTE)
    assert note.read(alpine.host) == JUMP


@pytest.mark.parametrize("content", [b"\xff\xfe", b""], ids=["no text", "empty"])
def test_read_of_garbage_is_a_note(alpine: fakes.FakeHost, content: bytes) -> None:
    alpine.write(notes.JUMP, content)
    assert note.read(alpine.host) == Jump()


def test_read_of_a_directory_is_a_note(alpine: fakes.FakeHost) -> None:
    alpine.path(notes.JUMP).mkdir(parents=True)
    assert note.read(alpine.host) == Jump()


VERDICTS = [
    pytest.param(None, fakes.BOOT_ID, "quiet", False, False, id="no note"),
    pytest.param(JUMP, fakes.BOOT_ID, "quiet", False, True, id="another boot came"),
    pytest.param(JUMP, None, "quiet", False, True, id="a boot that is not known"),
    pytest.param(JUMP, BEFORE, "quiet", False, False, id="no jump yet"),
    pytest.param(JUMP, fakes.BOOT_ID, f"{{}}={TOKEN}", True, False, id="arrived"),
    pytest.param(JUMP, fakes.BOOT_ID, f"{{}}={TOKEN}0", False, True, id="another token"),
    pytest.param(JUMP, fakes.BOOT_ID, "{}", False, True, id="no value"),
    pytest.param(JUMP, fakes.BOOT_ID, f"-- {{}}={TOKEN}", False, True, id="a word for init"),
    pytest.param(Jump(), fakes.BOOT_ID, f"{{}}={TOKEN}", False, True, id="garbage"),
    pytest.param(Jump(), None, "quiet", False, True, id="garbage in an unknown boot"),
]


@pytest.mark.parametrize(("jump", "boot_id", "running", "arrived", "hung"), VERDICTS)
def test_verdict(
    jump: Jump | None, boot_id: str | None, running: str, arrived: bool, hung: bool
) -> None:
    words = running.format("alpinefleet_kexec.token").split()
    assert note.arrived(jump, words) is arrived
    assert note.hung(jump, boot_id, words) is hung


# --- The note on an image that was loaded before kexec was locked --------------------------

SUM = "0" * 64


def test_read_frozen_of_what_the_service_wrote(alpine: fakes.FakeHost) -> None:
    alpine.freeze("abc-1", "root=LABEL=root quiet")
    assert note.read_frozen(alpine.host) == note.Frozen(
        "abc-1", "root=LABEL=root quiet", ("/boot/vmlinuz-virt", "/boot/initramfs-virt"), True
    )


@pytest.mark.parametrize("path", ["/boot/vmlinuz-virt", "/boot/initramfs-virt"])
def test_read_frozen_sees_that_a_file_changed(alpine: fakes.FakeHost, path: str) -> None:
    alpine.freeze()
    alpine.cut(path, 10)
    found = note.read_frozen(alpine.host)
    assert found is not None
    assert not found.current


def test_read_frozen_sees_that_a_file_is_gone(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    alpine.remove("/boot/vmlinuz-virt")
    found = note.read_frozen(alpine.host)
    assert found is not None
    assert not found.current


@pytest.mark.parametrize("path", ["/boot/a\0b", "/\0", "/boot/vmlinuz-virt\0", "/boot\0/k"])
def test_read_frozen_sees_that_no_file_can_have_a_path(alpine: fakes.FakeHost, path: str) -> None:
    alpine.write(notes.FROZEN, f"abc\nquiet\n{SUM}  {path}\n")
    assert note.read_frozen(alpine.host) == note.Frozen("abc", "quiet", (path,), False)


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
def test_read_frozen_of_something_else(alpine: fakes.FakeHost, text: str) -> None:
    alpine.write(notes.FROZEN, text)
    assert note.read_frozen(alpine.host) == note.Frozen()


def test_read_frozen_of_no_note(alpine: fakes.FakeHost) -> None:
    assert note.read_frozen(alpine.host) is None

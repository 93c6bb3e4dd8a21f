# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note of the slot that firmware boots: what it says, and what the service makes of it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import good
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    SlotEntry,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import ServiceHost

SLOT = "6.18.56-0-virt-0123456789ab"
FOLDER = f"/boot/alpinefleet-kexec/{SLOT}"
ENTRY = SlotEntry(
    SLOT, "Linux", f"{FOLDER}/linux", (f"{FOLDER}/initrd",), 'root=LABEL=r dyndbg="a  b" -- single'
)
MENU = "/boot/extlinux.conf"
CONTENT = f"LABEL alpinefleet-kexec-{SLOT}\n".encode()
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WHOLE = f"{SLOT}\n{MENU}\n{DIGEST}\n{ENTRY.cmdline}\n"


@pytest.fixture
def slotted(alpine: fakes.FakeHost) -> fakes.FakeHost:
    alpine.write(MENU, CONTENT)
    alpine.path(FOLDER).mkdir(parents=True)
    return alpine


def ensure(alpine: fakes.FakeHost, entry: SlotEntry | None, *, check_mode: bool = False) -> bool:
    return good.ensure(alpine.host, entry, MENU, check_mode=check_mode)


def noted(alpine: fakes.FakeHost) -> str | None:
    path = alpine.path(good.GOOD_NOTE)
    return path.read_text() if path.exists() else None


def test_note_says_what_the_menu_boots_and_a_second_time_nothing_changes(
    slotted: fakes.FakeHost,
) -> None:
    assert ensure(slotted, ENTRY, check_mode=True)
    assert noted(slotted) is None
    assert ensure(slotted, ENTRY)
    assert noted(slotted) == WHOLE
    assert not ensure(slotted, ENTRY)


def test_note_follows_the_menu(slotted: fakes.FakeHost) -> None:
    ensure(slotted, ENTRY)
    slotted.write(MENU, CONTENT + b"# edited\n")
    assert ensure(slotted, ENTRY)
    assert DIGEST not in str(noted(slotted))


def test_note_goes_with_the_last_slot(slotted: fakes.FakeHost) -> None:
    ensure(slotted, ENTRY)
    assert ensure(slotted, None, check_mode=True)
    assert noted(slotted) == WHOLE
    assert ensure(slotted, None)
    assert noted(slotted) is None
    assert not ensure(slotted, None)


def test_parameters_of_this_collection_are_not_in_the_line(slotted: fakes.FakeHost) -> None:
    entry = replace(
        ENTRY, cmdline=f"alpinefleet_kexec.slot={SLOT} BOOT_IMAGE=linux {ENTRY.cmdline}"
    )
    ensure(slotted, entry)
    assert noted(slotted) == WHOLE


@pytest.mark.parametrize("cannot", ["no menu", "a line feed in the line"])
def test_note_that_cannot_be_made_is_none(slotted: fakes.FakeHost, cannot: str) -> None:
    ensure(slotted, ENTRY)
    entry = ENTRY
    if cannot == "no menu":
        slotted.path(MENU).unlink()
    else:
        entry = replace(ENTRY, cmdline='a="b\nc"')
    assert ensure(slotted, entry)
    assert noted(slotted) is None
    assert not ensure(slotted, entry)


def test_note_that_cannot_be_written_is_told(slotted: fakes.FakeHost) -> None:
    shutil.rmtree(slotted.path(FOLDER).parent)
    slotted.write(str(Path(FOLDER).parent), b"a file")
    with pytest.raises(ReasonError):
        ensure(slotted, ENTRY)


@pytest.fixture
def machine() -> t.Iterator[ServiceHost]:
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="good-")).resolve()
    yield ServiceHost(root)
    shutil.rmtree(root)


def test_service_takes_the_note_as_it_is_written(machine: ServiceHost) -> None:
    for name in ("linux", "initrd"):
        machine.write(f"{FOLDER[1:]}/{name}", name)
    machine.write(MENU[1:], CONTENT.decode())
    host = fakes.bare_host(fakes.FakeRunner(), str(machine.root))
    assert good.ensure(host, ENTRY, MENU, check_mode=False)
    # The program's own paths are below the folder, those that a note says are not.
    text = machine.read(good.GOOD_NOTE[1:])
    machine.write(good.GOOD_NOTE[1:], text.replace(MENU, f"{machine.root}{MENU}"))
    log = machine.service("kexec-load", "verify")
    assert log[0] == f"einfo slot: {SLOT}"
    assert log[-1].endswith(f" alpinefleet_kexec.slot={SLOT} {ENTRY.cmdline}")

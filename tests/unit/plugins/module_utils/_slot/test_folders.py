# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories that are there as a whole or not at all."""

from __future__ import annotations

import os

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import folders
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, slots

FOLDER = "/boot/alpinefleet-kexec"
A = slots.slot().id


def fill(alpine: fakes.FakeHost, text: str = "whole") -> None:
    with folders.draft(alpine.host, FOLDER, A) as path:
        with open(os.path.join(path, "linux"), "w", encoding="utf-8") as file:
            file.write(text)
        assert folders.named(alpine.host, FOLDER) == []


def test_draft_gets_its_name_when_it_is_filled(alpine: fakes.FakeHost) -> None:
    fill(alpine)
    assert folders.named(alpine.host, FOLDER) == [A]
    assert alpine.path(f"{FOLDER}/{A}/linux").read_text() == "whole"
    assert os.listdir(alpine.path(FOLDER)) == [A]


def test_content_is_in_its_place_before_it_has_its_name(alpine: fakes.FakeHost) -> None:
    fill(alpine)
    assert alpine.checkpoints[0] == {"linux": b"whole"}
    assert len(alpine.checkpoints) == 2


def fail(alpine: fakes.FakeHost) -> None:
    with folders.draft(alpine.host, FOLDER, A) as path:
        assert os.listdir(path) == []
        raise OSError("full")


def test_draft_that_fails_leaves_nothing(alpine: fakes.FakeHost) -> None:
    alpine.write(f"{FOLDER}/{folders.DRAFT_PREFIX}{A}/initrd", "of a run that was killed")
    with pytest.raises(OSError, match="full"):
        fail(alpine)
    assert os.listdir(alpine.path(FOLDER)) == []


def test_folders_can_be_entered_whatever_the_mask(alpine: fakes.FakeHost) -> None:
    old = os.umask(0o077)
    try:
        fill(alpine)
    finally:
        os.umask(old)
    for path in (FOLDER, f"{FOLDER}/{A}"):
        assert alpine.path(path).stat().st_mode & 0o777 == 0o755


def test_file_system_without_modes_is_taken_as_it_is(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, mode: int) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(os, "chmod", refuse)
    old = os.umask(0o077)
    try:
        fill(alpine)
    finally:
        os.umask(old)
    assert folders.named(alpine.host, FOLDER) == [A]


def test_what_is_given_up_is_gone_and_a_second_time_is_nothing(alpine: fakes.FakeHost) -> None:
    fill(alpine)
    for _time in range(2):
        folders.give_up(alpine.host, FOLDER, A)
        assert os.listdir(alpine.path(FOLDER)) == []


def test_tidying_removes_drafts_alone(alpine: fakes.FakeHost) -> None:
    fill(alpine)
    alpine.write(f"{FOLDER}/{folders.DRAFT_PREFIX}x/linux", "half")
    alpine.write(f"{FOLDER}/note", "of somebody else")
    folders.tidy(alpine.host, FOLDER)
    assert sorted(os.listdir(alpine.path(FOLDER))) == sorted([A, "note"])
    assert folders.named(alpine.host, FOLDER) == [A]


def test_folder_of_all_goes_only_if_nothing_is_in_it(alpine: fakes.FakeHost) -> None:
    alpine.write(f"{FOLDER}/note", "of somebody else")
    folders.clear(alpine.host, FOLDER)
    assert alpine.path(FOLDER).is_dir()
    alpine.remove(f"{FOLDER}/note")
    folders.clear(alpine.host, FOLDER)
    assert not alpine.path(FOLDER).exists()


@pytest.mark.parametrize("name", [A, f"{folders.DRAFT_PREFIX}{A}"])
def test_what_is_no_folder_goes_as_well_and_not_what_it_leads_to(
    alpine: fakes.FakeHost, name: str
) -> None:
    fill(alpine)
    folders.give_up(alpine.host, FOLDER, A)
    alpine.write("/etc/kept", "of somebody else")
    alpine.path(f"{FOLDER}/{name}").symlink_to(alpine.path("/etc"))
    folders.give_up(alpine.host, FOLDER, A)
    folders.tidy(alpine.host, FOLDER)
    assert os.listdir(alpine.path(FOLDER)) == []
    alpine.write(f"{FOLDER}/{name}", "a file")
    folders.give_up(alpine.host, FOLDER, A)
    folders.tidy(alpine.host, FOLDER)
    assert os.listdir(alpine.path(FOLDER)) == []
    assert alpine.path("/etc/kept").exists()

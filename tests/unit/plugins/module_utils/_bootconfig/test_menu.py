# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The default entry of a menu, by its text; the making of one is tested with boot_parameter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import editors, menu
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.menu import Making
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.files import Writer
from ansible_collections.alpinefleet.kexec.tests.unit import fakes


@pytest.fixture
def settings(alpine: fakes.FakeHost) -> editors.Settings:
    alpine.write("/etc/update-extlinux.conf", 'default_kernel_opts="quiet"\n')
    return editors.choose(alpine.host, "extlinux")


def test_default_entry_is_that_of_the_text(
    alpine: fakes.FakeHost, settings: editors.Settings
) -> None:
    entry = menu.default_entry(alpine.host, settings, fakes.extlinux("quiet a=1"))
    assert isinstance(entry, Entry)
    assert entry.cmdline == "quiet a=1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(None, "not there", id="no menu"),
        pytest.param("INCLUDE x\n", "includes another file", id="not understood"),
        pytest.param(fakes.extlinux('a="b'), "quote", id="open quote"),
    ],
)
def test_default_entry_that_there_is_none_of_is_told(
    alpine: fakes.FakeHost, settings: editors.Settings, text: str | None, why: str
) -> None:
    found = menu.default_entry(alpine.host, settings, text)
    assert isinstance(found, str)
    assert why in found


def test_missing_names_what_an_entry_does_not_hold() -> None:
    entry = Entry("Alpine", "vmlinuz", (), "quiet a=1")
    changes = [Change("a", "1"), Change("b", "2"), Change("quiet", present=False)]
    assert menu.missing(entry, changes) == ["b=2", "quiet"]


WHOLE = Entry("Alpine", "vmlinuz", ("initramfs",), "root=/dev/a quiet")


@pytest.mark.parametrize(
    ("entry", "lost"),
    [
        pytest.param(WHOLE, [], id="the same"),
        pytest.param(Entry("A", "vmlinuz-2", ("i", "j"), "root=/dev/b"), [], id="other names"),
        pytest.param(replace(WHOLE, kernel=""), ["its kernel"], id="no kernel"),
        pytest.param(replace(WHOLE, initramfs=()), ["its initramfs"], id="no initramfs"),
        pytest.param(replace(WHOLE, initramfs=("",)), ["its initramfs"], id="no name of one"),
        pytest.param(replace(WHOLE, cmdline="quiet"), ["root="], id="no root"),
        pytest.param(replace(WHOLE, cmdline="root= quiet"), ["root="], id="empty root"),
        pytest.param(replace(WHOLE, cmdline="-- root=/dev/a"), ["root="], id="root for init"),
        pytest.param(None, [], id="images"),
    ],
)
def test_what_is_needed_for_the_root_file_system_is_not_to_be_lost(
    entry: Entry | None, lost: list[str]
) -> None:
    assert menu.lost_by(WHOLE, entry, [Change("quiet")]) == lost


def test_what_was_not_there_or_is_to_go_is_not_lost() -> None:
    nothing = Entry("Alpine", "vmlinuz", (), "quiet")
    assert menu.lost_by(nothing, nothing, []) == []
    without = replace(WHOLE, cmdline="quiet")
    assert menu.lost_by(WHOLE, without, [Change("root", present=False)]) == []


def test_menu_is_never_made_again_for_it_has_a_copy(
    alpine: fakes.FakeHost, settings: editors.Settings
) -> None:
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    alpine.runner.on("/sbin/update-extlinux")
    making = Making(alpine.host, Writer(alpine.host, settings.read_at_boot), settings)
    making.remember()
    making.make([])
    assert making.make_again() == []
    assert len(alpine.runner.calls) == 1

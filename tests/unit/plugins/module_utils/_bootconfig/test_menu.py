# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The default entry of a menu, by its text; the making of one is tested with boot_parameter."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import editors, menu
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.menu import Making
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import (
    Parameters,
)
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


def test_menu_is_never_made_again_for_it_has_a_copy(
    alpine: fakes.FakeHost, settings: editors.Settings
) -> None:
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    alpine.runner.on("/sbin/update-extlinux")
    making = Making(
        alpine.host, Writer(alpine.host, settings.read_at_boot), settings, Parameters(())
    )
    making.remember()
    making.make()
    assert making.make_again() == []
    assert len(alpine.runner.calls) == 1

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot loaders boot slots."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.editors import (
    EDITORS,
    Settings,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import kinds
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.kind import Site
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError

WITH = {"extlinux", "grub", "limine", "uboot"}


def settings(loader: str) -> Settings:
    return Settings(loader, ("/x",), lambda _texts: [], menu="/y")


@pytest.mark.parametrize("loader", [editor.name for editor in EDITORS])
def test_each_boot_loader_has_slots_or_is_refused(loader: str) -> None:
    if loader in WITH:
        assert kinds.kind_of(settings(loader)).named(Site("/y"), "/x")
        return
    with pytest.raises(ReasonError, match=f"boot loader {loader}:"):
        kinds.kind_of(settings(loader))

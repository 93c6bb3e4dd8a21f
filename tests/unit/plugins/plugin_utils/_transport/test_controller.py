# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller knows its own boot, where it has one."""

from __future__ import annotations

import uuid
from pathlib import Path

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import controller


def test_boot_id_is_what_the_kernel_says(tmp_path: Path) -> None:
    text = str(uuid.uuid4())
    (tmp_path / "boot_id").write_text(f"{text}\n")
    assert controller.boot_id(tmp_path / "boot_id") == text


def test_boot_id_is_none_where_the_kernel_has_none(tmp_path: Path) -> None:
    assert controller.boot_id(tmp_path / "boot_id") is None


def test_boot_id_is_read_where_hosts_are_asked_for_it() -> None:
    observe = Path(controller.__file__).parent / "shell/observe.sh"
    assert f"$(cat {controller.BOOT_ID})" in observe.read_text()

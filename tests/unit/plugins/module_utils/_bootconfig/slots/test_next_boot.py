# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What boots once, by what the boot loaders keep of it; orders are tested with once."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import next_boot

MAGIC, LAST = bytes.fromhex("a52f2d5a"), bytes.fromhex("64bf28dd")


def area(fields: bytes, last: bytes = LAST) -> bytes:
    return MAGIC + bytes(4) + fields.ljust(500, b"\0") + last


ONCE = b"\1\4abc\0"
BAD = area(b"\1\1z", b"????")


@pytest.mark.parametrize(
    ("end", "label"),
    [
        pytest.param(area(ONCE) * 2, "abc", id="an order"),
        pytest.param(area(b"\2\1x" + ONCE) * 2, "abc", id="behind another field"),
        pytest.param(area(b"\0\0" + ONCE) * 2, "", id="taken back, and still there behind the end"),
        pytest.param(area(b"") * 2, "", id="none"),
        pytest.param(BAD + area(ONCE), "abc", id="the first copy is broken"),
        pytest.param(BAD * 2, "", id="both are broken"),
        pytest.param(b"", "", id="no core"),
        pytest.param(bytes(1024), "", id="never used"),
        pytest.param(area(b"\1" * 500) * 2, "\1", id="garbage"),
    ],
)
def test_order_that_extlinux_keeps(end: bytes, label: str) -> None:
    assert next_boot.kept_order(end) == label

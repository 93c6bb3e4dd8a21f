# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where partitions are, as sfdisk and e2fsprogs are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.layout import BIOS_BOOT, GPT_END, MIB, ROOT_SIZE, Layout, Partition
from tests.lab.loaders import LOADERS

DOS = Layout("dos")
GPT = Layout("gpt", Partition(BIOS_BOOT, 2 * MIB))


@pytest.mark.parametrize(
    ("layout", "offset", "size"),
    [
        pytest.param(DOS, MIB, MIB + ROOT_SIZE, id="dos"),
        pytest.param(GPT, 3 * MIB, 3 * MIB + ROOT_SIZE + GPT_END, id="gpt"),
    ],
)
def test_root_and_size(layout: Layout, offset: int, size: int) -> None:
    assert (layout.root_offset, layout.disk_size) == (offset, size)
    assert layout.filesystem(Path("/d")) == f"/d?offset={offset}"


def test_script_with_an_mbr() -> None:
    assert DOS.script() == "label: dos\nstart=2048, size=2457600, type=83, bootable\n"


def test_script_with_a_gpt() -> None:
    first, second = GPT.script().splitlines()[1:]
    assert first == f"start=2048, size=4096, type={BIOS_BOOT}"
    assert second.startswith("start=6144, size=2457600, type=0FC63DAF-")


@pytest.mark.parametrize("name", LOADERS)
def test_partitions_of_every_loader_lie_on_whole_mebibytes(name: str) -> None:
    layout = LOADERS[name].layout
    assert layout.root_offset % MIB == layout.disk_size % MIB == 0

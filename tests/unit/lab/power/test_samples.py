# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge on real logs: it finds what the old writer does, and nothing in the present one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.lab.commands import run
from tests.lab.power.disk import Replay, copy
from tests.lab.power.judge import Verdict
from tests.lab.power.log import Entry, entries
from tests.lab.power.views import Reader, boot_loaders, kernels
from tests.lab.power.walk import Run, walk

from .conftest import Sample

# One process makes the walks for all tests that ask of them.
pytestmark = [pytest.mark.usefixtures("e2fsprogs"), pytest.mark.xdist_group("power")]
each_sample = pytest.mark.parametrize("name", ["replaced", "kept"])


@pytest.fixture(scope="session")
def walked(samples: dict[str, Sample]) -> dict[str, list[Run]]:
    """Return what is seen in each sample."""
    return {name: walk_sample(sample) for name, sample in samples.items()}


def walk_sample(sample: Sample) -> list[Run]:
    return walk(sample.log, sample.disk, sample.root, sample.menu, sample.known)


def codes(verdicts: Iterable[Verdict]) -> set[str]:
    return {verdict.code for verdict in verdicts}


def menus(verdicts: Iterable[Verdict]) -> int:
    """Return how many menus were seen one after the other."""
    sums = [dict(verdict.sums)["/boot/extlinux.conf"] for verdict in verdicts]
    return 1 + sum(1 for one, other in pairwise(sums) if one != other)


def test_replaced_menu_is_empty_to_the_boot_loader(walked: dict[str, list[Run]]) -> None:
    runs = walked["replaced"]
    assert runs[-1].last == 122
    empty = [seen for seen in runs if seen.sight.boot_loader.code == "menu_empty"]
    # The first three are one window to the boot loader: the kernel's view changes twice in it.
    assert [seen.first for seen in empty] == [40, 55, 68, 91, 109]
    assert sum(seen.last - seen.first + 1 for seen in empty) == 34
    assert codes(seen.sight.boot_loader for seen in runs) == {"ok", "menu_empty"}


def test_kept_menu_is_whole_to_the_boot_loader(walked: dict[str, list[Run]]) -> None:
    runs = walked["kept"]
    assert runs[-1].last == 331
    assert codes(seen.sight.boot_loader for seen in runs) == {"ok"}
    # The menu of the start, and seven that replaced it.
    assert menus(seen.sight.boot_loader for seen in runs) == 8


@each_sample
def test_both_are_whole_to_the_kernel(walked: dict[str, list[Run]], name: str) -> None:
    assert codes(seen.sight.kernel for seen in walked[name]) == {"ok"}
    assert menus(seen.sight.kernel for seen in walked[name]) == 8


@each_sample
def test_runs_leave_no_entry_out(walked: dict[str, list[Run]], name: str) -> None:
    runs = walked[name]
    assert runs[0].first == 0
    for one, following in pairwise(runs):
        assert following.first == one.last + 1
        assert following.sight != one.sight


@each_sample
def test_entries_that_are_not_looked_at_change_nothing(
    samples: dict[str, Sample],
    walked: dict[str, list[Run]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    apply = Replay.apply

    def look_always(replay: Replay, entry: Entry) -> bool:
        apply(replay, entry)
        return True

    monkeypatch.setattr(Replay, "apply", look_always)
    assert walk_sample(samples[name]) == walked[name]


def test_unknown_menus_are_told(samples: dict[str, Sample]) -> None:
    sample = samples["replaced"]
    runs = walk_sample(replace(sample, known=replace(sample.known, menus=frozenset({"0"}))))
    assert codes(seen.sight.kernel for seen in runs) == {"menu_not_known"}


@each_sample
def test_kernels_see_what_e2fsck_leaves(
    samples: dict[str, Sample], tmp_path: Path, name: str
) -> None:
    sample, other = samples[name], tmp_path / "checked.raw"
    replay = Replay(sample.disk, sample.root, tmp_path)
    reader, seen = Reader(replay.root, 0, tmp_path), set()
    with sample.log.open("rb") as stream:
        for number, entry in enumerate(entries(stream)):
            if not replay.apply(entry) or number % 7:
                continue
            copy(replay.root, other)
            # It ends with 1 because it changed something.
            run(["sh", "-c", 'e2fsck -E journal_only -y "$1" || [ $? = 1 ]', "sh", other])
            with kernels(reader, replay) as look, boot_loaders(Reader(other, 0, tmp_path)) as there:
                for path in (sample.menu.path, "/boot/vmlinuz-virt", "/boot/initramfs-virt"):
                    content = look(path)
                    assert content == there(path)
                    assert content is not None
                    seen.add(content.sum)
    assert len(seen) > 5

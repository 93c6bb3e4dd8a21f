# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import proc


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for pid, children in {1: "2 3", 2: "4", 3: ""}.items():
        (tmp_path / f"{pid}/task/{pid}").mkdir(parents=True)
        (tmp_path / f"{pid}/task/{pid}/children").write_text(children)
    return tmp_path


def test_tree_has_children_of_children_and_what_just_ended(root: Path) -> None:
    assert proc.tree(1, root) == [1, 2, 3, 4]


def test_memory_is_the_proportional_one(root: Path) -> None:
    (root / "2/smaps_rollup").write_text(
        "x [rollup]\nRss:  2000 kB\nPss:   700 kB\nPss_Dirty: 1 kB\n"
    )
    assert proc.memory(2, root) == 700
    assert proc.memory(3, root) == 0


def test_own_seconds_of_a_process_with_a_strange_name(root: Path) -> None:
    numbers = " ".join(["0"] * 10 + ["150", "50"] + ["0"] * 5)
    (root / "2/stat").write_text(f"2 (a) b) S {numbers}\n")
    assert proc.own_seconds(2, root) == pytest.approx(200 / proc.TICKS)
    assert proc.own_seconds(3, root) is None


def test_busy_and_all(root: Path) -> None:
    (root / "stat").write_text("cpu  100 10 50 800 40 0 0 0 0 0\ncpu0 1 1 1 1\n")
    busy, total = proc.busy_and_all(root)
    assert (busy, total) == pytest.approx((160 / proc.TICKS, 1000 / proc.TICKS))

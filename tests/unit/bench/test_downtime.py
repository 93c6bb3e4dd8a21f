# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bench import console, contenders, downtime, play
from tests.bench.console import Reboot
from tests.bench.downtime import Measured

CORE = Measured("extlinux", "core", Reboot(0.0, 3.0, 30.0, 40.0), 8.0, 48.0, None)
OURS = Measured("extlinux", "ours", Reboot(0.0, 3.0, 15.0, 20.0), 6.0, 21.0, 18.5)


ROLE = dataclasses.replace(OURS, contender="role", until_down=9.0, until_done=26.0)


def test_the_machine_s_own_time_and_a_little_more_is_accepted() -> None:
    found = downtime.accept([CORE, OURS, ROLE])
    assert [(each.found, each.limit) for each in found] == [
        (21.0, 24.0),
        (0.75, 1.0),
        (26.0, 30.0),
        (1.125, 1.5),
    ]
    assert all(each.holds for each in found)


@pytest.mark.parametrize(
    ("ours", "role", "refused"),
    [
        pytest.param({"until_done": 24.1}, {}, 0, id="late"),
        pytest.param({"until_down": 8.1}, {}, 1, id="slow to leave"),
        pytest.param({}, {"until_done": 30.1}, 2, id="the role is late"),
        pytest.param({}, {"until_down": 12.1}, 3, id="the role is slow to leave"),
    ],
)
def test_more_than_that_is_not(
    ours: dict[str, t.Any], role: dict[str, t.Any], refused: int
) -> None:
    measured = [CORE, dataclasses.replace(OURS, **ours), dataclasses.replace(ROLE, **role)]
    found = downtime.accept(measured)
    assert [number for number, each in enumerate(found) if not each.holds] == [refused]


def test_table_has_each_part_of_the_way() -> None:
    assert downtime.table([OURS, ROLE]).rows == [
        ("BIOS, extlinux", "ours", "6.0 s", "3.0 s", "12.0 s", "5.0 s", "20.0 s", "21.0 s"),
        ("BIOS, extlinux", "role", "9.0 s", "3.0 s", "12.0 s", "5.0 s", "20.0 s", "26.0 s"),
    ]


def event(task: str, ended: float, **result: t.Any) -> play.Event:
    return play.Event("m", task, "ok", ended - 1.0, ended, result)


def test_role_is_measured_from_its_first_task_to_its_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = [event("order", 4.0, downtime=None), event("wait", 26.0, downtime=18.5)]
    events = [event(contenders.ORDER, 1.0), *told, event("check", 30.0), event("end", 31.0)]
    done = play.Play(0, True, "", 0.0, 31.0, 0.0, 0.0, 0, events)
    monkeypatch.setattr(play, "run", lambda *_arguments, **_keywords: done)
    monkeypatch.setattr(console, "followed", lambda _log: contextlib.nullcontext([]))
    monkeypatch.setattr(console, "read", lambda _lines: Reboot(5.0, 8.0, 15.0, 20.0))
    record: t.Any = SimpleNamespace(name="m", inventory=tmp_path, serial_log=tmp_path)
    found = downtime.measure("extlinux", "role", record)
    assert (found.until_down, found.until_done, found.downtime) == (5.0, 26.0, 18.5)

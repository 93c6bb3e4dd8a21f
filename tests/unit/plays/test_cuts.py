# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A log of writes is judged from the state that the machine went on from, behind its boot loader."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import lab
from tests.lab.power.disk import root_of
from tests.lab.power.judge import Image, Known
from tests.plays import cuts
from tests.plays.cuts import MENUS, Cuts, image_of
from tests.plays.machine import Machine

KNOWN = Known(None, {})


class Host(Machine):
    """A machine that has a name and files, and cannot be reached."""

    def __init__(self, **sums: str) -> None:
        self.name = "web1"
        self.host = SimpleNamespace(check_output=self._run)
        self._sums = sums

    def _run(self, command: str) -> str:
        program, *paths = command.split()
        assert program == "sha256sum"
        return "".join(f"{self._sums[Path(path).name]}  {path}\n" for path in paths)


def test_image_of_has_the_files_in_their_order() -> None:
    host = Host(linux="1", ucode="2", initrd="3")
    assert image_of(host, "/s/linux") == Image("1")
    assert image_of(host, "/s/linux", "/ucode", "/s/initrd") == Image("1", ("2", "3"))


@pytest.mark.parametrize("loader", MENUS)
def test_judge_pulls_the_plug_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, loader: str
) -> None:
    done: list[object] = []

    def walk(*arguments: object) -> list[t.Any]:
        done.append(arguments)
        return []

    monkeypatch.setattr(lab, "find", lambda _name: SimpleNamespace(path=tmp_path))
    monkeypatch.setattr(lab, "pull_plug", done.append)
    monkeypatch.setattr(cuts, "walk", walk)
    assert Cuts(Host(), loader).judge(KNOWN) == []
    root = root_of(lab.LOADERS[loader].layout)
    files = (tmp_path / "writes.log", tmp_path / "state.raw")
    assert done == ["web1", (*files, root, MENUS[loader], KNOWN)]


def test_boot_takes_a_disk_that_ends_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "writes.log").write_bytes(b"a log")
    monkeypatch.setattr(lab, "find", lambda _name: SimpleNamespace(path=tmp_path))
    monkeypatch.setattr(cuts, "entries", lambda log: [log.read()])
    made: list[object] = []
    monkeypatch.setattr(cuts, "write_out", lambda *arguments: made.append(arguments))
    host, booted = Host(), Host()

    def boot_disk(*arguments: object) -> Host:
        made.append(arguments)
        return booted

    supply: t.Any = SimpleNamespace(boot_disk=boot_disk)
    assert Cuts(host, "extlinux").boot(supply, 7, tmp_path) is booted
    target = tmp_path / "after-7.raw"
    assert made == [(tmp_path / "state.raw", [b"a log"], 7, target), (Host, target, host)]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both views of a file system that was just made, or was cut off; the tools are the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.commands import run
from tests.lab.errors import LabError
from tests.lab.image import FEATURES
from tests.lab.layout import MIB
from tests.lab.power.disk import Replay, Span
from tests.lab.power.log import Entry
from tests.lab.power.views import Content, Reader, boot_loaders, kernels

pytestmark = pytest.mark.usefixtures("e2fsprogs")

ROOT = Span(3 * MIB, 16 * MIB)
MENU = b"DEFAULT virt\n" * 20
NEW_MENU = b"default lts \n" * 20
BIG = b"".join(b"%07d\n" % number for number in range(100_000))
HOLES = bytes(30_000) + b"x" * 5000 + bytes(70_000)
LONG = "/".join(["."] * 40)


def make_tree(folder: Path) -> Path:
    boot = folder / "tree/boot"
    (boot / "folder").mkdir(parents=True)
    files = {"extlinux.conf": MENU, "big": BIG, "empty": b"", 'a "b': b"quoted"}
    for name, data in files.items():
        (boot / name).write_bytes(data)
    with (boot / "holes").open("wb") as stream:
        stream.seek(30_000)
        stream.write(b"x" * 5000)
        stream.truncate(len(HOLES))
    links = {"boot": ".", "link": "big", "absolute": "/boot/link", "long": f"{LONG}/extlinux.conf"}
    for name, target in {**links, "loop": "loop", "lost": "nothing", "up": "folder"}.items():
        (boot / name).symlink_to(target)
    return boot.parent


@pytest.fixture(params=["extents", "block maps"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a disk whose root file system is not its first."""
    path = tmp_path / "start.raw"
    features = FEATURES if request.param == "extents" else f"{FEATURES},^extents"
    with path.open("wb") as stream:
        stream.truncate(ROOT.end + MIB)
    options = ["-q", "-F", "-t", "ext4", "-b", "4096", "-O", features]
    options += ["-E", f"offset={ROOT.offset}", "-d", str(make_tree(tmp_path))]
    run(["mke2fs", *options, path, f"{ROOT.length // 1024}k"])
    return path


@pytest.fixture
def replay(disk: Path, tmp_path: Path) -> Replay:
    return Replay(disk, ROOT, tmp_path)


def boot_reader(replay: Replay) -> Reader:
    return Reader(replay.disk, replay.span.offset, replay.disk.parent)


def kernel_reader(replay: Replay) -> Reader:
    return Reader(replay.root, 0, replay.root.parent)


def position(replay: Replay, data: bytes) -> int:
    return replay.disk.read_bytes().index(data)


def write_journal(replay: Replay, data: bytes) -> None:
    """Let the journal hold a transaction for the menu's block, which is not written back."""
    block = (position(replay, MENU) - ROOT.offset) // 4096
    source = replay.disk.with_name("block")
    source.write_bytes(data.ljust(4096, b"\0"))
    script = f"journal_open\njournal_write -b {block} {source}\njournal_close\n"
    run(["debugfs", "-w", "-f", "-", replay.root], stdin=script)
    with replay.disk.open("r+b") as stream:
        stream.seek(ROOT.offset)
        stream.write(replay.root.read_bytes())


FOUND: list[tuple[str, bytes | None]] = [
    ("/boot/extlinux.conf", MENU),
    ("/boot/big", BIG),
    ("/boot/holes", HOLES),
    ("/boot/empty", b""),
    ('/boot/a "b', b"quoted"),
    ("/boot/boot/boot/extlinux.conf", MENU),
    ("/boot/link", BIG),
    ("/boot/absolute", BIG),
    ("/boot/long", MENU),
    ("/boot/loop", None),
    ("/boot/lost", None),
    ("/boot/up", None),
    ("/boot/folder", None),
    ("/boot/nothing", None),
    ("/nothing/nothing", None),
    ("boot/big", None),
    ("/boot/big\nquit", None),
    ("/" + "x" * 5000, None),
]


@pytest.mark.parametrize(("path", "expected"), FOUND, ids=[path[:30] for path, _data in FOUND])
def test_boot_loaders_find(replay: Replay, path: str, expected: bytes | None) -> None:
    with boot_loaders(boot_reader(replay)) as look:
        content = look(path)
    assert content == (None if expected is None else Content(expected, len(expected)))


def test_both_views_of_a_clean_disk_are_alike(replay: Replay) -> None:
    with boot_loaders(boot_reader(replay)) as look, kernels(kernel_reader(replay), replay) as other:
        for path in ("/boot/extlinux.conf", "/boot/big", "/boot/nothing"):
            assert look(path) == other(path)


def test_a_file_that_changes_in_place_is_read_anew(replay: Replay) -> None:
    reader = boot_reader(replay)
    with boot_loaders(reader) as look:
        before = look("/boot/big")
    with boot_loaders(reader) as look:
        assert look("/boot/big") is before
    last = position(replay, BIG[-4096:])
    assert replay.apply(Entry(last, 4, 0, b"done"))
    with boot_loaders(reader) as look:
        changed = look("/boot/big")
    assert changed is not None
    assert changed.data == BIG[:-4096] + b"done" + BIG[-4092:]


def test_kernels_replay_the_journal_and_take_it_back(replay: Replay) -> None:
    write_journal(replay, NEW_MENU)
    before = replay.root.read_bytes()
    reader = kernel_reader(replay)
    for _time in range(2):
        with boot_loaders(boot_reader(replay)) as look:
            assert look("/boot/extlinux.conf") == Content(MENU, len(MENU))
        with kernels(reader, replay) as look:
            assert look("/boot/extlinux.conf") == Content(NEW_MENU, len(NEW_MENU))
            assert look("/boot/big") == Content(BIG, len(BIG))
        assert replay.root.read_bytes() == before


def test_kernels_without_a_journal_are_refused(replay: Replay) -> None:
    run(["debugfs", "-w", "-R", "feature -has_journal", replay.root])
    with pytest.raises(LabError) as caught, kernels(kernel_reader(replay), replay):
        pass
    assert caught.value.code == "journal"

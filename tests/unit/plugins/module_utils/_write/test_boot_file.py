# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a boot loader may find on the disk: the order of names, syncs and checkpoints."""

from __future__ import annotations

import errno
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import boot_file
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.boot_file import BootFile

MENU, SECOND, THIRD = "menu", ".menu.boot-parameter-old", ".menu.boot-parameter-new"


class Directory:
    """A real directory; what is done in it is noted and then done."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.events: list[str] = []
        # The files by name, whenever the journal was written back.
        self.written: list[dict[str, str]] = []
        # The inodes that a boot loader may be led to, and those on the disk, between two of them.
        self.led_to: list[set[int]] = [set()]
        self.on_disk: list[set[int]] = []
        for name in ("link", "replace", "unlink"):
            monkeypatch.setattr(os, name, self._noted(name, getattr(os, name)))
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self._note_sync)
        self.menu = BootFile(str(path / MENU), self.checkpoint)

    def _noted(self, event: str, call: t.Callable[..., None]) -> t.Callable[..., None]:
        def noted(*names: str, **options: bool) -> None:
            self.events.append(" ".join([event, *(Path(name).name for name in names)]))
            self._look()
            call(*names, **options)
            self._look()

        return noted

    def _note_sync(self, descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        self.events.append("fsync directory" if is_directory else f"fsync {name}")
        self._fsync(descriptor)

    def _look(self) -> None:
        if (self.path / MENU).exists():
            self.led_to[-1].add((self.path / MENU).stat().st_ino)

    def checkpoint(self, directory: str) -> None:
        assert directory == str(self.path)
        self.events.append("checkpoint")
        self.written.append(self.files())
        self._look()
        self.led_to.append(set())
        self.on_disk.append({path.lstat().st_ino for path in self.path.iterdir()})
        self._look()

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.path.iterdir() if path.is_file()}

    def write(self, name: str, content: str) -> str:
        """Write as commands do, in place where the file is there already."""
        (self.path / name).write_text(content)
        return str(self.path / name)

    def rename(self, content: str) -> None:
        """Make a new menu as commands do that write it elsewhere first."""
        Path(self.write("draft", content)).rename(self.path / MENU)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Directory:
    made = Directory(tmp_path, monkeypatch)
    made.write(MENU, "old")
    return made


def fail(number: int) -> t.Callable[..., t.NoReturn]:
    def raise_it(*_arguments: object, **_options: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    return raise_it


# --- Put in place --------------------------------------------------------------------------


def test_put_keeps_the_order_that_leaves_no_moment_without_a_menu(directory: Directory) -> None:
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.events == [
        f"link {MENU} {SECOND}",
        "fsync directory",
        "checkpoint",
        f"replace temporary {MENU}",
        "fsync directory",
        "checkpoint",
    ]


def test_new_file_is_on_the_disk_before_it_gets_the_name(directory: Directory) -> None:
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.written == [
        {MENU: "old", SECOND: "old", "temporary": "new"},
        {MENU: "new", SECOND: "old"},
    ]


def test_name_never_leads_to_what_is_not_there_yet_or_no_longer(directory: Directory) -> None:
    directory.checkpoint(str(directory.path))
    for content in ("new", "newer", "newest"):
        directory.menu.put(directory.write("temporary", content))
    earlier, later = directory.on_disk[:-1], directory.on_disk[1:]
    led_to = directory.led_to[1:-1]
    assert len(led_to) == len(earlier) == len(later) > 6
    assert all(led <= before & after for led, before, after in zip(led_to, earlier, later))


def test_second_name_stays_with_the_old_inode(directory: Directory) -> None:
    inode = (directory.path / MENU).stat().st_ino
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.files() == {MENU: "new", SECOND: "old"}
    assert (directory.path / SECOND).stat().st_ino == inode


def test_next_change_replaces_the_second_name_when_the_last_one_is_on_the_disk(
    directory: Directory,
) -> None:
    directory.menu.put(directory.write("temporary", "new"))
    directory.events.clear()
    directory.menu.put(directory.write("temporary", "newer"))
    assert directory.events[:3] == ["checkpoint", f"unlink {SECOND}", f"link {MENU} {SECOND}"]
    assert directory.files() == {MENU: "newer", SECOND: "new"}


def test_file_that_was_not_there_has_no_second_name(directory: Directory) -> None:
    (directory.path / MENU).unlink()
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.files() == {MENU: "new"}
    assert directory.events.count("checkpoint") == 2


@pytest.mark.parametrize("leftover", ["twin", "older", "dangling link"])
def test_what_a_killed_run_left_is_no_obstacle(directory: Directory, leftover: str) -> None:
    second = directory.path / SECOND
    if leftover == "twin":
        os.link(directory.path / MENU, second)
    elif leftover == "older":
        second.write_text("older")
    else:
        second.symlink_to("gone")
    directory.write(THIRD, "half")
    directory.write(".boot-parameter-abc", "half")
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.files()[MENU] == "new"
    assert directory.files()[SECOND] == "old"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_links_is_written_all_the_same(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", fail(number))
    directory.menu.put(directory.write("temporary", "new"))
    assert directory.written == [{MENU: "old", "temporary": "new"}, {MENU: "new"}]


def test_disk_that_is_full_is_a_failure_before_anything_changed(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", fail(errno.ENOSPC))
    temporary = directory.write("temporary", "new")
    with pytest.raises(OSError, match="No space left"):
        directory.menu.put(temporary)
    assert directory.files() == {MENU: "old", "temporary": "new"}


def test_file_that_cannot_be_replaced_keeps_no_second_name(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = directory.write("temporary", "new")
    monkeypatch.setattr(os, "replace", fail(errno.EPERM))
    with pytest.raises(PermissionError):
        directory.menu.put(temporary)
    assert directory.files() == {MENU: "old", "temporary": "new"}


def test_names_hide_from_what_looks_for_kernels(directory: Directory) -> None:
    kernel = BootFile("/boot/vmlinuz-virt", directory.checkpoint)
    assert kernel.old == "/boot/.vmlinuz-virt.boot-parameter-old"


@pytest.mark.parametrize("name", [SECOND, THIRD])
def test_what_is_left_of_a_killed_run_goes_when_it_is_led_to_no_longer(
    directory: Directory, name: str
) -> None:
    directory.write(name, "left")
    directory.menu.keep()
    assert directory.events[:2] == ["checkpoint", f"unlink {name}"]
    assert directory.files() == {MENU: "old", SECOND: "old"}


def test_tidy_removes_what_was_never_put_in_place_and_nothing_else(directory: Directory) -> None:
    directory.write(SECOND, "older")
    directory.menu.tidy()
    assert directory.events == []
    directory.write(THIRD, "new")
    directory.write(".menu.boot-parameter-draft", "half of a m")
    directory.menu.tidy()
    assert directory.events[0] == "checkpoint"
    assert directory.files() == {MENU: "old", SECOND: "older"}


def test_old_file_stays_whole_until_the_new_one_is_on_the_disk(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it has no second name, somebody has to hold it open."""
    inode = (directory.path / MENU).stat().st_ino
    held: list[bool] = []
    before = os.listdir("/proc/self/fd")

    def look(_directory: str) -> None:
        files = [each for each in Path("/proc/self/fd").iterdir() if each.exists()]
        held.append(inode in [each.stat().st_ino for each in files])

    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    BootFile(str(directory.path / MENU), look).put(directory.write("temporary", "new"))
    assert held == [False, True]
    assert os.listdir("/proc/self/fd") == before


# --- What a command wrote ------------------------------------------------------------------


def test_menu_that_a_command_renamed_gets_its_name_when_it_is_on_the_disk(
    directory: Directory,
) -> None:
    directory.menu.keep()
    directory.rename("new")
    directory.menu.settle()
    assert directory.written == [
        {MENU: "old", SECOND: "old", THIRD: "new"},
        {MENU: "new", SECOND: "old"},
    ]
    assert directory.files() == directory.written[-1]


def test_old_menu_is_put_back_before_anything_is_waited_for(directory: Directory) -> None:
    directory.menu.keep()
    directory.rename("new")
    directory.events.clear()
    directory.menu.settle()
    assert directory.events == [
        f"unlink {THIRD}",
        f"link {MENU} {THIRD}",
        f"replace {SECOND} {MENU}",
        f"fsync {THIRD}",
        f"link {MENU} {SECOND}",
        "fsync directory",
        "checkpoint",
        f"replace {THIRD} {MENU}",
        "fsync directory",
        "checkpoint",
    ]


def test_old_menu_that_a_command_renamed_is_not_lost(directory: Directory) -> None:
    directory.menu.keep()
    (directory.path / MENU).rename(directory.path / "menu.old")
    directory.rename("new")
    directory.menu.settle()
    assert directory.files() == {MENU: "new", "menu.old": "old", SECOND: "old"}


def test_menu_that_a_command_wrote_in_place_is_written_back(directory: Directory) -> None:
    directory.menu.keep()
    directory.write(MENU, "new")
    directory.events.clear()
    directory.menu.settle()
    assert directory.events == [f"fsync {MENU}", f"unlink {SECOND}", "checkpoint"]
    assert directory.files() == {MENU: "new"}


def test_first_menu_of_all_is_written_back(directory: Directory) -> None:
    (directory.path / MENU).unlink()
    # The second name is of a menu that somebody removed.
    directory.write(SECOND, "older")
    directory.menu.keep()
    directory.rename("new")
    directory.menu.settle()
    assert directory.written[-1] == directory.files() == {MENU: "new"}


def test_menu_is_written_back_where_no_link_was_possible(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    directory.menu.keep()
    directory.rename("new")
    directory.menu.settle()
    assert directory.written == [{MENU: "new"}]


def test_what_a_killed_run_left_is_not_taken_for_the_menu(directory: Directory) -> None:
    directory.write(SECOND, "older")
    directory.write(THIRD, "half")
    directory.menu.keep()
    directory.rename("new")
    directory.menu.settle()
    assert directory.files() == {MENU: "new", SECOND: "old"}


def test_menu_that_a_command_removed_is_not_made_up(directory: Directory) -> None:
    directory.menu.keep()
    (directory.path / MENU).unlink()
    directory.menu.settle()
    assert directory.files() == {SECOND: "old"}
    directory.menu.undo()
    assert directory.files() == {MENU: "old"}


def test_undo_puts_the_old_inode_back_and_keeps_the_other(directory: Directory) -> None:
    inode = (directory.path / MENU).stat().st_ino
    directory.menu.keep()
    directory.rename("broken")
    directory.menu.undo()
    assert directory.files() == {MENU: "old", SECOND: "broken"}
    assert (directory.path / MENU).stat().st_ino == inode
    assert directory.written == [directory.files()]


@pytest.mark.parametrize("step", ["settle", "undo"])
def test_link_that_a_command_replaced_is_the_link_again_or_gives_way(
    directory: Directory, step: str
) -> None:
    (directory.path / MENU).rename(directory.path / "real")
    (directory.path / MENU).symlink_to("real")
    directory.menu.keep()
    directory.rename("new")
    getattr(directory.menu, step)()
    assert (directory.path / "real").read_text() == "old"
    if step == "undo":
        assert os.readlink(directory.path / MENU) == "real"
    else:
        assert directory.files()[MENU] == "new"
        assert not (directory.path / MENU).is_symlink()
        assert os.readlink(directory.path / SECOND) == "real"


def test_name_too_long_for_a_second_one_is_none_to_forget(directory: Directory) -> None:
    long = BootFile(directory.write("x" * 240, "old"), directory.checkpoint)
    long.forget()
    long.undo()
    assert directory.files()["x" * 240] == "old"


def test_undo_of_nothing_does_nothing(directory: Directory) -> None:
    directory.menu.undo()
    directory.menu.keep()
    directory.events.clear()
    directory.menu.undo()
    assert directory.events == []


# --- Directories ---------------------------------------------------------------------------


def test_directory_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", fail(errno.EINVAL))
    boot_file.sync_directory(str(tmp_path))

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files replaced as a whole: what stays, what is put back, and what a failure says."""

from __future__ import annotations

import errno
import os
import stat
import types
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import draft as draft_module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.files import Writer
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

PACKAGE = "ansible_collections.alpinefleet.kexec.plugins.module_utils"
# What a draft is made with.
CREATE = f"{PACKAGE}._write.draft.make"
PATH = "/boot/extlinux.conf"
SECOND = "/boot/.extlinux.conf.boot-parameter-old"


@pytest.fixture
def old(alpine: fakes.FakeHost) -> bytes:
    alpine.write(PATH, b"old\n")
    alpine.path(PATH).chmod(0o640)
    return b"old\n"


def names(alpine: fakes.FakeHost) -> list[str]:
    return sorted(path.name for path in alpine.path("/boot").iterdir())


def fail(number: int) -> t.Callable[..., t.NoReturn]:
    def raise_it(*_arguments: object, **_options: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    return raise_it


# --- Writing -------------------------------------------------------------------------------


def test_write_replaces_content_and_keeps_the_mode(alpine: fakes.FakeHost, old: bytes) -> None:
    before = names(alpine)
    with alpine.path(PATH).open("rb") as reader:
        Writer(alpine.host).write(PATH, b"new\r\n\xff")
        assert reader.read() == old
    assert alpine.path(PATH).read_bytes() == b"new\r\n\xff"
    assert stat.S_IMODE(alpine.path(PATH).stat().st_mode) == 0o640
    assert names(alpine) == before


def test_write_of_a_new_file_can_be_read_by_all(alpine: fakes.FakeHost) -> None:
    alpine.path("/etc/default").mkdir()
    Writer(alpine.host).write("/etc/default/grub", b"x")
    assert stat.S_IMODE(alpine.path("/etc/default/grub").stat().st_mode) == 0o644


def test_write_through_a_link_changes_its_target(alpine: fakes.FakeHost, old: bytes) -> None:
    alpine.path("/boot/real").mkdir()
    alpine.path(PATH).rename(alpine.path("/boot/real/menu"))
    alpine.link(PATH, "real/menu")
    Writer(alpine.host).write(PATH, b"new")
    assert alpine.path(PATH).is_symlink()
    assert alpine.path("/boot/real/menu").read_bytes() == b"new"


def test_write_sets_no_owner_and_mode_that_are_right_already(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpine.path(PATH).chmod(0o600)
    monkeypatch.setattr(os, "fchown", fail(errno.EPERM))
    monkeypatch.setattr(os, "fchmod", fail(errno.EPERM))
    Writer(alpine.host).write(PATH, b"new")
    assert alpine.path(PATH).read_bytes() == b"new"


def test_write_does_not_need_directories_that_can_be_synced(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            fail(errno.EINVAL)()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    Writer(alpine.host).write(PATH, b"new")
    assert alpine.path(PATH).read_bytes() == b"new"


@pytest.mark.parametrize(
    ("call", "number", "remedy"),
    [
        pytest.param(CREATE, errno.EROFS, "Mount the file system", id="read-only"),
        pytest.param(CREATE, errno.EACCES, "as root", id="not root"),
        pytest.param("os.fsync", errno.ENOSPC, "Free space", id="full"),
        pytest.param("os.fsync", errno.EIO, "host's log", id="broken"),
        pytest.param("os.replace", errno.EPERM, "immutable", id="immutable"),
        pytest.param("os.fchmod", errno.EPERM, "immutable", id="no modes"),
    ],
)
def test_failure_of_a_write_leaves_the_old_file_and_nothing_else(
    alpine: fakes.FakeHost,
    old: bytes,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    remedy: str,
) -> None:
    before = names(alpine)
    monkeypatch.setattr(call, fail(number))
    with pytest.raises(ReasonError) as caught:
        Writer(alpine.host).write(PATH, b"new")
    assert caught.value.reason.code == "boot_config_unwritable"
    assert f"{PATH} cannot be written: {os.strerror(number)}." in caught.value.reason.message
    assert remedy in caught.value.reason.remedy
    assert alpine.path(PATH).read_bytes() == old
    assert names(alpine) == before


@pytest.mark.parametrize(("blocks", "fits"), [(100, False), (0, True)])
def test_room_is_looked_for_beforehand(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch, blocks: int, fits: bool
) -> None:
    full = types.SimpleNamespace(f_blocks=blocks, f_bfree=0, f_frsize=4096, f_files=0, f_flag=0)
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    if fits:
        Writer(alpine.host).write(PATH, b"new")
        return
    monkeypatch.setattr(CREATE, fail(errno.EIO))
    with pytest.raises(ReasonError, match="No space left on device"):
        Writer(alpine.host).write(PATH, b"new")


def test_full_file_system_that_is_read_only_is_called_read_only(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = types.SimpleNamespace(f_blocks=1, f_bfree=0, f_frsize=1, f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _path: both)
    with pytest.raises(ReasonError, match="Read-only file system"):
        Writer(alpine.host).write(PATH, b"new")


@pytest.mark.parametrize("boot", [(), (PATH,)])
@pytest.mark.parametrize("written", [False, True])
def test_what_somebody_else_wrote_meanwhile_stays(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch, boot: t.Any, written: bool
) -> None:
    files = Writer(alpine.host, boot)
    if written:
        files.write(PATH, b"new\n")
    make = draft_module.make

    def make_while_it_changes(path: str, *arguments: t.Any, **options: t.Any) -> None:
        make(path, *arguments, **options)
        alpine.write(PATH, b"theirs\n")

    monkeypatch.setattr(CREATE, make_while_it_changes)
    with pytest.raises(ReasonError, match="somebody else has changed it") as caught:
        files.write(PATH, b"newer\n")
    assert caught.value.reason.code == "boot_config_unwritable"
    assert files.restore() == []
    assert alpine.path(PATH).read_bytes() == b"theirs\n"
    assert not [name for name in names(alpine) if "draft" in name]


def test_what_was_decided_on_is_what_is_replaced(alpine: fakes.FakeHost, old: bytes) -> None:
    files = Writer(alpine.host, (PATH,))
    files.expect(PATH, old)
    with pytest.raises(ReasonError, match="somebody else has changed it"):
        Writer(alpine.host, (PATH,)).expect(PATH, None)
    alpine.write(PATH, b"theirs\n")
    with pytest.raises(ReasonError, match="somebody else has changed it"):
        files.write(PATH, b"new\n")
    assert alpine.path(PATH).read_bytes() == b"theirs\n"


def test_file_that_is_none_is_refused(alpine: fakes.FakeHost) -> None:
    alpine.remove(PATH)
    os.mkfifo(alpine.path(PATH))
    with pytest.raises(ReasonError, match="it is special"):
        Writer(alpine.host).write(PATH, b"new")


class FailingFile:
    """A file that can be opened, and not read."""

    def __enter__(self) -> FailingFile:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def read(self) -> t.NoReturn:
        fail(errno.EIO)()


def test_file_that_cannot_be_read_is_told(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = alpine.host
    monkeypatch.setattr(host, "open", lambda _path: FailingFile())
    with pytest.raises(ReasonError, match="Input/output error"):
        Writer(host).write(PATH, b"new")
    assert alpine.path(PATH).read_bytes() == old


def test_what_a_command_made_is_taken_once(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Writer(alpine.host)
    assert files.take(PATH) == old
    assert files.take(PATH) is None
    monkeypatch.setattr(os, "unlink", fail(errno.EROFS))
    with pytest.raises(ReasonError, match="Read-only file system"):
        files.discard(PATH)


# --- What a boot loader reads --------------------------------------------------------------


def boot_files(alpine: fakes.FakeHost) -> Writer:
    return Writer(alpine.host, boot=(PATH,))


def test_boot_file_is_on_the_disk_before_and_after_it_gets_its_name(
    alpine: fakes.FakeHost, old: bytes
) -> None:
    boot_files(alpine).write(PATH, b"new")
    first, last = alpine.checkpoints
    assert first["extlinux.conf"] == last[".extlinux.conf.boot-parameter-old"] == old
    assert b"new" in first.values()
    assert last["extlinux.conf"] == b"new"
    assert alpine.path(SECOND).read_bytes() == old
    assert stat.S_IMODE(alpine.path(PATH).stat().st_mode) == 0o640


def test_other_files_are_left_to_the_journal(alpine: fakes.FakeHost, old: bytes) -> None:
    before = names(alpine)
    files = Writer(alpine.host, boot=("/boot/cmdline.txt",))
    files.write(PATH, b"new")
    files.back_up(PATH)
    assert alpine.checkpoints == []
    assert len(names(alpine)) == len(before) + 1


def test_second_name_is_beside_what_a_link_leads_to(alpine: fakes.FakeHost, old: bytes) -> None:
    alpine.path("/boot/real").mkdir()
    alpine.path(PATH).rename(alpine.path("/boot/real/menu"))
    alpine.link(PATH, "real/menu")
    boot_files(alpine).write(PATH, b"new")
    assert alpine.path(PATH).is_symlink()
    assert alpine.path("/boot/real/menu").read_bytes() == b"new"
    assert alpine.path("/boot/real/.menu.boot-parameter-old").read_bytes() == old


def test_failure_of_a_boot_file_leaves_nothing_behind(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names(alpine)
    monkeypatch.setattr(os, "replace", fail(errno.EPERM))
    with pytest.raises(ReasonError, match="Operation not permitted"):
        boot_files(alpine).write(PATH, b"new")
    assert alpine.path(PATH).read_bytes() == old
    assert names(alpine) == before


def make(alpine: fakes.FakeHost, content: bytes) -> None:
    """A command writes a new menu elsewhere and renames it."""
    alpine.write("/boot/draft", content)
    alpine.path("/boot/draft").rename(alpine.path(PATH))


def test_what_a_command_makes_gets_its_name_when_it_is_on_the_disk(
    alpine: fakes.FakeHost, old: bytes
) -> None:
    files = boot_files(alpine)
    files.keep(PATH)
    make(alpine, b"new")
    files.settle(PATH)
    assert [each["extlinux.conf"] for each in alpine.checkpoints] == [old, b"new"]
    assert b"new" in alpine.checkpoints[0].values()
    assert alpine.path(SECOND).read_bytes() == old


@pytest.mark.parametrize("step", ["keep", "settle"])
def test_failure_around_a_command_is_told(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    files = boot_files(alpine)
    if step == "settle":
        files.keep(PATH)
        make(alpine, b"new")
    monkeypatch.setattr(os, "link", fail(errno.ENOSPC))
    with pytest.raises(ReasonError, match="No space left on device") as caught:
        getattr(files, step)(PATH)
    assert caught.value.reason.code == "boot_config_unwritable"


def test_restore_puts_the_old_inode_back(alpine: fakes.FakeHost, old: bytes) -> None:
    inode = alpine.path(PATH).stat().st_ino
    files = boot_files(alpine)
    files.keep(PATH)
    make(alpine, b"broken")
    assert files.restore() == []
    assert alpine.path(PATH).read_bytes() == old
    assert alpine.path(PATH).stat().st_ino == inode
    assert alpine.checkpoints[-1]["extlinux.conf"] == old


def test_restore_of_what_was_changed_in_place_goes_through_the_disk(
    alpine: fakes.FakeHost, old: bytes
) -> None:
    files = boot_files(alpine)
    files.remember(PATH)
    files.keep(PATH)
    alpine.write(PATH, b"half of a m")
    assert files.restore() == []
    assert old in alpine.checkpoints[-2].values()
    assert alpine.checkpoints[-1]["extlinux.conf"] == alpine.path(PATH).read_bytes() == old


def test_restore_leaves_no_second_name_of_what_did_not_change(
    alpine: fakes.FakeHost, old: bytes
) -> None:
    before = names(alpine)
    files = boot_files(alpine)
    files.keep(PATH)
    assert files.restore() == []
    assert names(alpine) == before


@pytest.mark.parametrize("stuck", [False, True])
def test_restore_leaves_nothing_of_what_could_not_be_made_to_last(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch, stuck: bool
) -> None:
    before = names(alpine)
    files = boot_files(alpine)
    files.keep(PATH)
    make(alpine, b"new")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail(errno.EIO))
        with pytest.raises(ReasonError, match="Input/output error"):
            files.settle(PATH)
    if stuck:
        monkeypatch.setattr(os, "unlink", fail(errno.EROFS))
    assert files.restore() == []
    assert alpine.path(PATH).read_bytes() == old
    assert (names(alpine) == before) is not stuck


@pytest.mark.parametrize("by", ["rename", "rename of the target", "writing"])
@pytest.mark.parametrize("settled", [False, True])
def test_restore_of_a_link_makes_it_the_link_again(
    alpine: fakes.FakeHost, old: bytes, by: str, settled: bool
) -> None:
    alpine.path("/boot/real").mkdir()
    alpine.path(PATH).rename(alpine.path("/boot/real/menu"))
    alpine.link(PATH, "real/menu")
    files = boot_files(alpine)
    files.remember(PATH)
    files.keep(PATH)
    alpine.write("/boot/draft", b"broken")
    if by == "writing":
        alpine.write(PATH, b"broken")
    else:
        alpine.path("/boot/draft").rename(
            alpine.path(PATH if by == "rename" else "/boot/real/menu")
        )
    if settled:
        files.settle(PATH)
        assert alpine.path(PATH).read_bytes() == b"broken"
    assert files.restore() == []
    assert os.readlink(alpine.path(PATH)) == "real/menu"
    assert alpine.path("/boot/real/menu").read_bytes() == old


def test_restore_puts_back_what_was_kept_and_not_read(alpine: fakes.FakeHost, old: bytes) -> None:
    files = boot_files(alpine)
    files.keep(PATH)
    make(alpine, b"broken")
    files.settle(PATH)
    assert files.restore() == []
    assert alpine.path(PATH).read_bytes() == old


# --- Putting back --------------------------------------------------------------------------


def test_restore_puts_back_what_was_and_removes_what_was_not(
    alpine: fakes.FakeHost, old: bytes
) -> None:
    before = names(alpine)
    files = Writer(alpine.host)
    files.remember("/boot/extlinux.conf.new")
    files.write(PATH, b"new")
    files.write(PATH, b"newer")
    alpine.write("/boot/extlinux.conf.new", "made by a command")
    assert files.restore() == []
    assert alpine.path(PATH).read_bytes() == old
    assert names(alpine) == before


def test_restore_says_what_could_not_be_put_back(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Writer(alpine.host)
    files.write(PATH, b"new")
    monkeypatch.setattr(CREATE, fail(errno.EROFS))
    (problem,) = files.restore()
    assert PATH in problem
    assert "Read-only file system" in problem


def test_restore_leaves_alone_what_did_not_change(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Writer(alpine.host)
    files.remember(PATH)
    monkeypatch.setattr(CREATE, fail(errno.EROFS))
    assert files.restore() == []


# --- Copies --------------------------------------------------------------------------------


def test_draft_that_a_killed_run_left_is_taken_over(alpine: fakes.FakeHost, old: bytes) -> None:
    before = names(alpine)
    for path in (PATH, f"{PATH}.1234.2026~"):
        alpine.write("/boot/.extlinux.conf.boot-parameter-draft", b"half of a m")
        files = Writer(alpine.host)
        files.write(PATH, b"new") if path == PATH else files.back_up(PATH)
    assert len(names(alpine)) == len(before) + 1
    assert alpine.path(PATH).read_bytes() == b"new"


def test_tidy_of_what_cannot_be_changed_is_no_failure(
    alpine: fakes.FakeHost, old: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = "/boot/.extlinux.conf.boot-parameter-draft"
    alpine.write(draft, b"half of a m")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail(errno.EROFS))
        Writer(alpine.host).tidy([PATH])
    assert alpine.path(draft).exists()
    Writer(alpine.host).tidy([PATH, "/gone/menu"])
    assert not alpine.path(draft).exists()


def test_back_up_leaves_a_copy_with_the_same_mode(alpine: fakes.FakeHost, old: bytes) -> None:
    name = Writer(alpine.host).back_up(PATH)
    assert name.startswith(f"{PATH}.{os.getpid()}.20")
    assert name.endswith("~")
    assert ":" not in name
    assert alpine.path(name).read_bytes() == old
    assert stat.S_IMODE(alpine.path(name).stat().st_mode) == 0o640


def test_back_up_is_gone_when_everything_is_put_back(alpine: fakes.FakeHost, old: bytes) -> None:
    before = names(alpine)
    files = Writer(alpine.host)
    files.back_up(PATH)
    assert files.restore() == []
    assert names(alpine) == before


def test_file_that_was_removed_comes_back_with_its_mode(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/script", "old")
    alpine.path("/etc/script").chmod(0o750)
    files = Writer(alpine.host)
    files.remove("/etc/script")
    assert not alpine.path("/etc/script").exists()
    assert files.restore() == []
    assert alpine.path("/etc/script").read_text() == "old"
    assert alpine.path("/etc/script").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("old", [0o640, None])
def test_mode_that_is_asked_for_is_taken_back(alpine: fakes.FakeHost, old: int | None) -> None:
    path = alpine.path("/etc/script")
    if old is not None:
        alpine.write("/etc/script", "same")
        path.chmod(old)
    files = Writer(alpine.host)
    files.write("/etc/script", b"same", 0o755)
    assert path.stat().st_mode & 0o777 == 0o755
    assert files.restore() == []
    assert path.exists() is (old is not None)
    assert old is None or path.stat().st_mode & 0o777 == old


def test_file_that_somebody_changed_is_not_removed(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/script", "old")
    files = Writer(alpine.host)
    files.remember("/etc/script")
    alpine.write("/etc/script", "new")
    with pytest.raises(ReasonError):
        files.remove("/etc/script")
    assert alpine.path("/etc/script").read_text() == "new"

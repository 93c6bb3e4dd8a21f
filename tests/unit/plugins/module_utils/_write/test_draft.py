# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new file beside the old one: what it takes over, and what is left when it fails."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import draft as draft_module


class FakeAttributes:
    """Extended attributes by file, for the real ones need a file system that has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by_file: dict[str, dict[str, bytes]] = {}
        self.refused: dict[str, int] = {}
        for name in ("listxattr", "getxattr", "setxattr", "removexattr"):
            monkeypatch.setattr(os, name, getattr(self, name))

    def of(self, file: str | int) -> dict[str, bytes]:
        path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else file
        return self.by_file.setdefault(Path(path).name, {})

    def listxattr(self, file: str | int) -> list[str]:
        self._refuse("list")
        return list(self.of(file))

    def getxattr(self, file: str | int, name: str) -> bytes:
        return self.of(file)[name]

    def setxattr(self, file: str | int, name: str, value: bytes) -> None:
        self._refuse(name)
        self.of(file)[name] = value

    def removexattr(self, file: str | int, name: str) -> None:
        del self.of(file)[name]

    def _refuse(self, name: str) -> None:
        if name in self.refused:
            raise OSError(self.refused[name], os.strerror(self.refused[name]))


@pytest.fixture
def attributes(monkeypatch: pytest.MonkeyPatch) -> FakeAttributes:
    return FakeAttributes(monkeypatch)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "menu"
    path.write_text("old")
    path.chmod(0o640)
    return path


def make(old: Path, *pieces: bytes) -> Path:
    draft = old.with_name("draft")
    draft_module.make(str(draft), pieces or [b"new"], str(old))
    return draft


def test_draft_has_the_content_and_the_mode(old: Path) -> None:
    draft = make(old, b"n", b"ew")
    assert draft.read_bytes() == b"new"
    assert stat.S_IMODE(draft.stat().st_mode) == 0o640
    assert old.read_text() == "old"


def test_draft_of_a_new_file_can_be_read_by_all(old: Path) -> None:
    old.unlink()
    assert stat.S_IMODE(make(old).stat().st_mode) == 0o644


@pytest.mark.parametrize("leftover", ["half", "link", "dangling link"])
def test_draft_takes_the_place_of_one_that_a_killed_run_left(old: Path, leftover: str) -> None:
    draft = old.with_name("draft")
    if leftover == "half":
        draft.write_text("half of a m")
    else:
        draft.symlink_to("menu" if leftover == "link" else "gone")
    make(old)
    assert not draft.is_symlink()
    assert draft.read_text() == "new"
    assert old.read_text() == "old"


def test_draft_belongs_to_the_owner_of_the_old_file(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may not give files away."""
    given: list[tuple[int, int]] = []
    really = os.stat

    def of_another(path: str, **options: bool) -> os.stat_result:
        fields = list(really(path, **options))
        return os.stat_result([*fields[:4], 1234, 5678, *fields[6:]])

    monkeypatch.setattr(os, "fchown", lambda _file, uid, gid: given.append((uid, gid)))
    monkeypatch.setattr(os, "stat", of_another)
    make(old)
    assert given == [(1234, 5678)]


@pytest.mark.parametrize("call", ["fsync", "fchmod", "stat"])
def test_failure_leaves_no_draft(old: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_arguments: object, **_options: object) -> t.NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output"):
        make(old)
    monkeypatch.undo()
    assert list(old.parent.iterdir()) == [old]


def test_remove_of_what_is_gone_is_no_failure(tmp_path: Path) -> None:
    draft_module.remove(str(tmp_path / "gone"))


# --- Extended attributes -------------------------------------------------------------------


def test_extended_attributes_are_taken_over(old: Path, attributes: FakeAttributes) -> None:
    wanted = {"user.note": b"\0x", "security.capability": b"\1", "security.selinux": b"boot_t"}
    attributes.by_file["menu"] = dict(wanted)
    make(old)
    assert attributes.by_file["draft"] == wanted


def test_list_of_the_directory_is_not_that_of_the_file(
    old: Path, attributes: FakeAttributes
) -> None:
    """A directory gives new files its default list, and the security module its label."""
    attributes.by_file["menu"] = {}
    attributes.by_file["draft"] = {"system.posix_acl_access": b"1", "security.selinux": b"boot_t"}
    make(old)
    assert attributes.by_file["draft"] == {"security.selinux": b"boot_t"}


def test_what_vouches_for_the_old_content_is_not_taken_over(
    old: Path, attributes: FakeAttributes
) -> None:
    attributes.by_file["menu"] = {"security.ima": b"sum", "security.evm": b"sum"}
    make(old)
    assert attributes.by_file["draft"] == {}


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_attributes_is_no_failure(
    old: Path, attributes: FakeAttributes, number: int
) -> None:
    attributes.refused["list"] = number
    assert make(old).read_text() == "new"


def test_attributes_that_cannot_be_read_are_a_failure(
    old: Path, attributes: FakeAttributes
) -> None:
    attributes.refused["list"] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        make(old)


@pytest.mark.parametrize(
    ("name", "number", "fails"),
    [
        ("security.selinux", errno.EPERM, False),
        ("security.selinux", errno.EACCES, False),
        ("security.SMACK64", errno.EOPNOTSUPP, False),
        ("security.selinux", errno.ENOSPC, True),
        ("user.note", errno.EPERM, True),
        ("system.posix_acl_access", errno.EOPNOTSUPP, True),
    ],
)
def test_only_labels_are_left_to_the_security_module(
    old: Path, attributes: FakeAttributes, name: str, number: int, fails: bool
) -> None:
    attributes.by_file["menu"] = {name: b"x"}
    attributes.refused[name] = number
    if not fails:
        assert make(old).read_text() == "new"
        return
    with pytest.raises(OSError, match=os.strerror(number).replace(" ", ".")):
        make(old)
    assert list(old.parent.iterdir()) == [old]


def test_real_attributes_are_taken_over_where_there_are_any(old: Path) -> None:
    # A file system without them takes the same way, with none.
    with contextlib.suppress(OSError):
        os.setxattr(old, "user.note", b"x")
    draft = make(old)
    of_old, of_draft = (
        {name: os.getxattr(path, name) for name in os.listxattr(path)} for path in (old, draft)
    )
    assert of_draft == of_old

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The port to the host: nothing leaves the root, nothing hangs, problems have names."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import port
from ansible_collections.alpinefleet.kexec.tests.unit import fakes


@pytest.mark.parametrize("path", ["/etc/hosts", "//etc/hosts", "etc/hosts"])
def test_real_is_below_the_root(path: str) -> None:
    host = fakes.bare_host(fakes.FakeRunner(), "/mnt")
    assert host.real(path) == "/mnt/etc/hosts"


def test_real_is_the_path_itself_by_default() -> None:
    host = fakes.bare_host(fakes.FakeRunner())
    assert host.real("/etc/hosts") == "/etc/hosts"
    assert host.machine == os.uname().machine


def test_text_and_content_of_a_file(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/motd", b"caf\xc3\xa9\n")
    assert alpine.host.text("/etc/motd") == "caf\u00e9\n"
    assert alpine.host.content("/etc/motd") == b"caf\xc3\xa9\n"


def test_text_keeps_bytes_that_are_no_text(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/motd", b"\xff")
    text = alpine.host.text("/etc/motd")
    assert text is not None
    assert text.encode("utf-8", "surrogateescape") == b"\xff"


@pytest.mark.parametrize("path", ["/etc/nothing", "/etc", "/etc/motd/below"])
def test_text_of_what_is_no_file_is_none(alpine: fakes.FakeHost, path: str) -> None:
    alpine.write("/etc/motd", "")
    assert alpine.host.text(path) is None
    assert alpine.host.content(path) is None


def test_line_is_the_text_without_what_surrounds_it(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/release", " 6.18 \n")
    assert alpine.host.line("/etc/release") == "6.18"
    assert alpine.host.line("/etc/nothing") is None


def test_text_of_a_pipe_is_none_and_does_not_hang(alpine: fakes.FakeHost) -> None:
    os.mkfifo(alpine.path("/etc/sysctl.pipe"))
    assert alpine.host.text("/etc/sysctl.pipe") is None


def test_text_of_a_file_that_fails_while_it_is_read_is_none(alpine: fakes.FakeHost) -> None:
    alpine.link("/etc/broken", "/proc/self/mem")
    assert alpine.host.text("/etc/broken") is None


@pytest.mark.parametrize(
    ("path", "digest"),
    [
        pytest.param("/etc/motd", hashlib.sha256(b"Welcome\n").hexdigest(), id="a file"),
        pytest.param("/etc/empty", hashlib.sha256().hexdigest(), id="an empty one"),
        pytest.param("/etc/large", hashlib.sha256(b"a" * 3_000_000).hexdigest(), id="a large one"),
        pytest.param("/etc/nothing", "", id="none"),
        pytest.param("/etc/a\0b", "", id="none that there could be"),
        pytest.param("/etc", None, id="a directory"),
        pytest.param("/etc/broken", None, id="one that fails while it is read"),
    ],
)
def test_digest(alpine: fakes.FakeHost, path: str, digest: str | None) -> None:
    alpine.write("/etc/motd", "Welcome\n")
    alpine.write("/etc/empty", "")
    alpine.write("/etc/large", b"a" * 3_000_000)
    alpine.link("/etc/broken", "/proc/self/mem")
    assert alpine.host.digest(path) == digest


def test_names_are_sorted(alpine: fakes.FakeHost) -> None:
    for name in ("b", "a", "c"):
        alpine.write(f"/srv/{name}", "")
    assert alpine.host.names("/srv") == ("a", "b", "c")


def test_names_of_no_directory_are_none(alpine: fakes.FakeHost) -> None:
    assert alpine.host.names("/srv") == ()


@pytest.mark.parametrize("path", ["/etc/a\0b", "\0", "/etc/motd\0", "/etc/\ud800"])
def test_nothing_has_a_path_that_no_file_can_have(alpine: fakes.FakeHost, path: str) -> None:
    alpine.write("/etc/motd", "")
    host = alpine.host
    assert (host.text(path), host.content(path), host.line(path)) == (None, None, None)
    assert (host.number(path), host.link(path), host.names(path)) == (None, None, ())
    assert (host.exists(path), host.is_dir(path), host.is_locked(path)) == (False, False, False)
    assert host.same_file("/etc", path)


def test_is_dir_and_exists(alpine: fakes.FakeHost) -> None:
    assert alpine.host.is_dir("/boot")
    assert not alpine.host.is_dir("/boot/extlinux.conf")
    assert alpine.host.exists("/boot/extlinux.conf")
    assert not alpine.host.exists("/boot/grub")


def test_link_says_where_it_points(alpine: fakes.FakeHost) -> None:
    alpine.link("/boot/boot", ".")
    assert alpine.host.link("/boot/boot") == "."
    assert alpine.host.link("/boot") is None


def test_same_file_sees_through_links(alpine: fakes.FakeHost) -> None:
    alpine.link("/boot/boot", ".")
    assert alpine.host.same_file("/boot", "/boot/boot/")
    assert not alpine.host.same_file("/boot", "/etc")


def test_same_file_does_not_tell_apart_what_it_cannot_see(alpine: fakes.FakeHost) -> None:
    assert alpine.host.same_file("/boot", "/nothing")


def test_open_gives_the_bytes(alpine: fakes.FakeHost) -> None:
    with alpine.host.open("/boot/vmlinuz-virt") as file:
        assert file.read() == fakes.bzimage()


def arrange_problem(alpine: fakes.FakeHost) -> None:
    os.mkfifo(alpine.path("/boot/pipe"))
    alpine.link("/boot/loop", "loop")
    alpine.link("/boot/null", os.devnull)
    alpine.link("/boot/dangling", "nothing")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        pytest.param("/boot/nothing", "missing", id="no file"),
        pytest.param("/boot/dangling", "missing", id="link to no file"),
        pytest.param("/boot/vmlinuz\0-virt", "missing", id="a NUL byte"),
        pytest.param("/boot\0", "missing", id="a NUL byte at the end"),
        pytest.param("/boot/\ud800", "missing", id="what is no byte"),
        pytest.param("/boot", "special", id="directory"),
        pytest.param("/boot/pipe", "special", id="pipe that nobody writes to"),
        pytest.param("/boot/null", "special", id="device"),
        pytest.param("/boot/loop", "unreadable", id="link to itself"),
    ],
)
def test_open_refuses(alpine: fakes.FakeHost, path: str, problem: str) -> None:
    arrange_problem(alpine)
    with pytest.raises(port.FileProblemError, match=f"^{path}: {problem}$") as caught:
        alpine.host.open(path)
    assert (caught.value.path, caught.value.problem) == (path, problem)


def test_open_closes_what_it_refuses(alpine: fakes.FakeHost) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    with pytest.raises(port.FileProblemError):
        alpine.host.open("/boot")
    assert len(list(descriptors.iterdir())) == before


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        pytest.param(fcntl.LOCK_EX, True, id="held"),
        pytest.param(fcntl.LOCK_SH, False, id="looked at by somebody else"),
        pytest.param(fcntl.LOCK_UN, False, id="free"),
    ],
)
def test_is_locked(alpine: fakes.FakeHost, held: int, expected: bool) -> None:
    alpine.write("/run/lock", "")
    with alpine.path("/run/lock").open("rb") as lock:
        fcntl.flock(lock, held)
        assert alpine.host.is_locked("/run/lock") is expected


@pytest.mark.parametrize("path", ["/boot/nothing", "/boot", "/boot/pipe", "/boot/loop"])
def test_is_locked_is_false_where_there_is_nothing_to_lock(
    alpine: fakes.FakeHost, path: str
) -> None:
    arrange_problem(alpine)
    assert not alpine.host.is_locked(path)


def test_is_locked_is_false_where_there_are_no_locks(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: object, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert not alpine.host.is_locked("/boot/extlinux.conf")


def test_is_locked_leaves_no_lock_behind(alpine: fakes.FakeHost) -> None:
    alpine.write("/run/lock", "")
    assert not alpine.host.is_locked("/run/lock")
    with alpine.path("/run/lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_find_and_run_ask_the_runner(alpine: fakes.FakeHost) -> None:
    alpine.runner.on("/bin/true", rc=3, stdout="out", stderr="err")
    assert alpine.host.find("kexec") == fakes.KEXEC
    assert alpine.host.find("nothing") is None
    assert alpine.host.run(["/bin/true", "now"]) == port.Outcome(3, "out", "err")
    assert alpine.runner.calls == [("/bin/true", "now")]


def test_run_of_a_command_that_nobody_expects_fails_the_test(alpine: fakes.FakeHost) -> None:
    with pytest.raises(AssertionError, match="reboot"):
        alpine.host.run(["reboot"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("\n", [""]),
        ("a\x85b\u2028c\vd\n", ["a\x85b\u2028c\vd"]),
    ],
)
def test_lines_are_parted_by_line_feeds_alone(text: str, found: list[str]) -> None:
    assert port.lines(text) == found


def test_line_keeps_what_only_python_takes_for_white_space(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/cmdline", "\t quiet\xa0\n")
    assert alpine.host.line("/proc/cmdline") == "quiet\xa0"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1\n", 1),
        ("-1\n", -1),
        (" 12 ", 12),
        ("", None),
        ("1 2", None),
        ("0x1", None),
        ("\u0661", None),
        ("9" * 21, None),
        (None, None),
    ],
)
def test_number(alpine: fakes.FakeHost, text: str | None, number: int | None) -> None:
    if text is not None:
        alpine.write("/sys/number", text)
    assert alpine.host.number("/sys/number") == number

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot_parameter as a whole: what is written, what runs, and what is put back."""

from __future__ import annotations

import errno
import functools
import os
import stat
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    change,
    editors,
    menu_commands,
    parameter,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import (
    Options,
    Parameters,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    update_extlinux,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._module import printable
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import draft, replaceable
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.files import Writer
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.replaceable import unwritable
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

# What a draft is made with.
CREATE = "ansible_collections.alpinefleet.kexec.plugins.module_utils._write.draft.make"
SETTINGS, MENU = "/etc/update-extlinux.conf", "/boot/extlinux.conf"
SECOND = "/boot/.extlinux.conf.boot-parameter-old"
GRUB, GRUB_MENU = "/etc/default/grub", "/boot/grub/grub.cfg"
COMMAND = "/sbin/update-extlinux"
OLD = '# options\noverwrite=1\ndefault_kernel_opts="quiet kexec_load=1"\n'
UNLOCK = Change("kexec_load_disabled", "0")
NEW = OLD.replace("kexec_load=1", "kexec_load=1 kexec_load_disabled=0")


def menu(words: str) -> str:
    return fakes.extlinux(f"root=UUID=1 modules=ext4 {words}")


def generate(alpine: fakes.FakeHost) -> None:
    """What update-extlinux does."""
    text = alpine.path(SETTINGS).read_text(errors="surrogateescape")
    alpine.write(f"{MENU}.old", alpine.path(MENU).read_bytes())
    alpine.write(MENU, menu(text.partition('opts="')[2].partition('"')[0]))


@pytest.fixture
def extlinux(alpine: fakes.FakeHost) -> fakes.FakeHost:
    alpine.write(SETTINGS, OLD)
    alpine.write(MENU, menu("quiet kexec_load=1"))
    alpine.runner.installed["update-extlinux"] = COMMAND
    alpine.runner.on(COMMAND, effect=lambda: generate(alpine))
    return alpine


def ensure(
    alpine: fakes.FakeHost,
    *changes: Change,
    check_mode: bool = False,
    boot_loader: str = "auto",
    backup: bool = False,
) -> dict[str, t.Any]:
    options = Options(changes or (UNLOCK,), boot_loader, backup)
    return parameter.ensure(alpine.host, lambda: options, check_mode=check_mode)


def failure(alpine: fakes.FakeHost, *changes: Change, **options: t.Any) -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        ensure(alpine, *changes, **options)
    return caught.value


def contents(alpine: fakes.FakeHost) -> dict[str, object]:
    """The tree but for times, for the directory of the lock and for what was replaced last."""
    return {
        path: (mode, content, target)
        for path, (mode, _time, content, target) in alpine.snapshot().items()
        if not path.startswith(str(alpine.path("/run")))
        if not path.endswith(".boot-parameter-old")
    }


def fail(number: int) -> t.Callable[..., t.NoReturn]:
    def raise_it(*_arguments: object, **_options: object) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    return raise_it


def fail_to_write(_files: Writer, path: str) -> t.NoReturn:
    raise unwritable(path, "no", errno.EROFS)


# --- Where everything goes well ------------------------------------------------------------


def test_settings_are_written_and_the_menu_is_made(extlinux: fakes.FakeHost) -> None:
    assert ensure(extlinux) == {
        "changed": True,
        "diff": [
            {"before": OLD, "after": NEW, "before_header": SETTINGS, "after_header": SETTINGS}
        ],
        "boot_loader": "extlinux",
        "files": [SETTINGS],
        "regenerated": True,
        "backup_files": [],
    }
    assert extlinux.path(SETTINGS).read_text() == NEW
    assert "kexec_load_disabled=0\n" in extlinux.path(MENU).read_text()
    assert extlinux.runner.calls == [(COMMAND,)]


def test_second_run_is_no_change(extlinux: fakes.FakeHost) -> None:
    ensure(extlinux)
    before = extlinux.snapshot()
    result = ensure(extlinux, backup=True)
    assert (result["changed"], result["regenerated"], result["diff"]) == (False, False, [])
    assert result["backup_files"] == []
    assert extlinux.snapshot() == before


def test_check_mode_tells_the_same_and_touches_nothing(extlinux: fakes.FakeHost) -> None:
    before = extlinux.snapshot()
    told = ensure(extlinux, check_mode=True)
    assert extlinux.snapshot() == before
    assert extlinux.runner.calls == []
    assert told == ensure(extlinux)


def test_present_then_absent_restores_the_settings(extlinux: fakes.FakeHost) -> None:
    ensure(extlinux)
    ensure(extlinux, Change("kexec_load_disabled", present=False))
    assert extlinux.path(SETTINGS).read_text() == OLD
    assert "kexec_load_disabled" not in extlinux.path(MENU).read_text()


def test_stale_menu_is_made_anew(extlinux: fakes.FakeHost) -> None:
    extlinux.write(SETTINGS, NEW)
    told = ensure(extlinux, check_mode=True)
    assert (told["changed"], told["regenerated"], told["diff"]) == (True, True, [])
    assert ensure(extlinux) == told
    assert "kexec_load_disabled=0\n" in extlinux.path(MENU).read_text()
    assert ensure(extlinux)["changed"] is False


def test_menu_that_is_missing_is_made(extlinux: fakes.FakeHost) -> None:
    extlinux.write(SETTINGS, NEW)
    extlinux.runner.on(COMMAND, effect=lambda: extlinux.write(MENU, menu("kexec_load_disabled=0")))
    extlinux.remove(MENU)
    assert ensure(extlinux)["regenerated"] is True


def test_copy_is_left_where_it_was_asked_for(extlinux: fakes.FakeHost) -> None:
    (copy,) = ensure(extlinux, backup=True)["backup_files"]
    assert extlinux.path(copy).read_text() == OLD


def test_bytes_that_are_no_letters_stay(extlinux: fakes.FakeHost) -> None:
    extlinux.write(SETTINGS, b"# caf\xe9\r\n" + OLD.encode())
    result = ensure(extlinux)
    assert extlinux.path(SETTINGS).read_bytes() == b"# caf\xe9\r\n" + NEW.encode()
    assert printable(result["diff"][0]["before"]).startswith("# caf\\xe9\r\n")


# --- What is refused before anything is touched --------------------------------------------


@pytest.mark.parametrize(
    ("settings", "change", "code"),
    [
        pytest.param('default_kernel_opts="$x"\n', UNLOCK, "boot_loader_not_understood", id="$"),
        pytest.param(OLD, Change("root", present=False), "parameter_invalid", id="of its own"),
        pytest.param(OLD, Change("x", "y" * 3000), "cmdline_too_long", id="too long"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_refusals(
    extlinux: fakes.FakeHost, settings: str, change: Change, code: str, check_mode: bool
) -> None:
    extlinux.write(SETTINGS, settings)
    before = contents(extlinux)
    assert failure(extlinux, change, check_mode=check_mode).reason.code == code
    assert contents(extlinux) == before
    assert extlinux.runner.calls == []


def test_command_that_is_missing_is_refused_before_the_settings_change(
    extlinux: fakes.FakeHost,
) -> None:
    del extlinux.runner.installed["update-extlinux"]
    before = contents(extlinux)
    assert failure(extlinux).reason.code == "boot_menu_not_regenerated"
    assert contents(extlinux) == before


def test_settings_that_cannot_be_read_are_not_taken_for_empty(extlinux: fakes.FakeHost) -> None:
    extlinux.remove(SETTINGS)
    extlinux.path(SETTINGS).mkdir()
    assert failure(extlinux).reason.code == "boot_config_unwritable"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("loader", "path", "text"),
    [
        pytest.param("uki", "/etc/kernel-hooks.d/secureboot.conf", text, id=text)
        for text in ('cmdline="/etc/a\0b"\n', 'cmdline="quiet"\noutput_dir="/boot/a\0b"\n')
    ]
    + [
        pytest.param(
            "zipl",
            "/etc/zipl.conf",
            "[a]\nimage=/boot/vmlinuz\nparameters=quiet\ntarget=/boot/a\0b\n",
            id="zipl",
        )
    ],
)
def test_byte_that_no_path_can_hold_is_refused(
    extlinux: fakes.FakeHost, check_mode: bool, loader: str, path: str, text: str
) -> None:
    extlinux.write(path, text)
    extlinux.write("/etc/kernel-hooks.d/secureboot.hook", "")
    extlinux.runner.installed["zipl"] = "/sbin/zipl"
    extlinux.runner.on("/sbin/zipl")
    extlinux.runner.on("/etc/kernel-hooks.d/secureboot.hook")
    error = failure(extlinux, boot_loader=loader, check_mode=check_mode)
    assert error.reason.code == "boot_loader_not_understood"
    assert f"{path} has a NUL byte" in error.reason.message
    assert extlinux.runner.calls == []


def test_loader_whose_settings_are_elsewhere_is_refused(extlinux: fakes.FakeHost) -> None:
    extlinux.write("/boot/cmdline.txt", "quiet\n")
    extlinux.write("/boot/config.txt", "cmdline=other.txt\n")
    error = failure(extlinux, boot_loader="raspberrypi")
    assert error.reason.code == "boot_loader_not_understood"
    assert "config.txt sets cmdline" in error.reason.message


def test_no_parameters_are_no_change(extlinux: fakes.FakeHost) -> None:
    extlinux.write(MENU, "INCLUDE x\n")
    options = Options((), "auto", False)
    result = parameter.ensure(extlinux.host, lambda: options, check_mode=False)
    assert result["changed"] is False


def test_another_run_is_not_disturbed(extlinux: fakes.FakeHost) -> None:
    before = contents(extlinux)
    with run_directory(extlinux.host):
        error = failure(extlinux)
    assert contents(extlinux) == before
    assert error.reason.code == "boot_config_unwritable"
    assert "another run" in error.reason.message


@pytest.mark.parametrize("check_mode", [True, False])
def test_full_file_system_is_refused_before_anything_is_written(
    extlinux: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    before = contents(extlinux)
    monkeypatch.setattr(replaceable, "has_room", lambda _status, size: size < len(NEW))
    error = failure(extlinux, check_mode=check_mode)
    assert error.reason.code == "boot_config_unwritable"
    assert "No space left on device" in error.reason.message
    assert contents(extlinux) == before
    assert extlinux.runner.calls == []


def test_settings_that_somebody_changes_meanwhile_are_left_to_them(
    extlinux: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = OLD + "# theirs\n"
    carry_out = change.carry_out

    def carry_out_later(host: t.Any, *arguments: t.Any, **options: t.Any) -> t.Any:
        extlinux.write(SETTINGS, theirs)
        return carry_out(host, *arguments, **options)

    monkeypatch.setattr(change, "carry_out", carry_out_later)
    error = failure(extlinux)
    assert error.reason.code == "boot_config_unwritable"
    assert "somebody else has changed it meanwhile" in error.reason.message
    assert extlinux.path(SETTINGS).read_text() == theirs
    assert extlinux.runner.calls == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("path", [SETTINGS, MENU])
def test_what_cannot_be_put_in_place_is_refused_before_anything_is_written(
    extlinux: fakes.FakeHost, check_mode: bool, path: str
) -> None:
    extlinux.write("/proc/mounts", f"/dev/sda1 {path} ext4 ro 0 0\n")
    before = contents(extlinux)
    error = failure(extlinux, check_mode=check_mode)
    assert (error.reason.code, error.details) == ("boot_config_unwritable", {"stage": "write"})
    assert f"{path} cannot be written: something is mounted over it." in error.reason.message
    assert contents(extlinux) == before
    assert extlinux.runner.calls == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("boot_loader", ["auto", "extlinux"])
def test_boot_that_is_not_mounted_is_refused_before_anything_is_written(
    extlinux: fakes.FakeHost, check_mode: bool, boot_loader: str
) -> None:
    extlinux.write("/etc/fstab", "UUID=1 / ext4 rw 0 1\nUUID=2 /boot ext4 rw 0 2\n")
    before = contents(extlinux)
    error = failure(extlinux, check_mode=check_mode, boot_loader=boot_loader)
    assert (error.reason.code, error.details) == ("boot_not_mounted", {"stage": "write"})
    assert contents(extlinux) == before
    assert extlinux.runner.calls == []
    extlinux.write("/proc/mounts", "/dev/sda3 / ext4 rw 0 0\n/dev/sda1 /boot ext4 rw 0 0\n")
    assert ensure(extlinux, check_mode=check_mode, boot_loader=boot_loader)["changed"] is True


@pytest.mark.parametrize("check_mode", [True, False])
def test_settings_with_another_name_are_refused_and_a_menu_is_the_commands(
    extlinux: fakes.FakeHost, check_mode: bool
) -> None:
    os.link(extlinux.path(MENU), extlinux.path("/boot/other"))
    if check_mode:
        assert ensure(extlinux, check_mode=True)["changed"] is True
    os.link(extlinux.path(SETTINGS), extlinux.path("/etc/other"))
    assert "it has another name" in failure(extlinux, check_mode=check_mode).reason.message


def test_what_needs_no_change_needs_no_place(extlinux: fakes.FakeHost) -> None:
    ensure(extlinux)
    extlinux.write("/proc/mounts", f"/dev/sda1 {SETTINGS} ext4 ro 0 0\n")
    assert ensure(extlinux)["changed"] is False


# --- What fails on the way -----------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("call", [CREATE, "os.fsync"])
def test_file_system_that_takes_nothing(
    extlinux: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    before = contents(extlinux)
    monkeypatch.setattr(call, fail(number))
    error = failure(extlinux, backup=True)
    assert (error.reason.code, error.details["stage"]) == ("boot_config_unwritable", "write")
    assert os.strerror(number) in error.reason.message
    assert contents(extlinux) == before
    assert extlinux.runner.calls == []


def test_command_that_fails_leaves_everything_as_it_was(extlinux: fakes.FakeHost) -> None:
    def half() -> None:
        extlinux.write(MENU, "half of a m")
        extlinux.write(f"{MENU}.new", "x")

    before = contents(extlinux)
    extlinux.runner.on(COMMAND, rc=3, stdout="out", stderr="no kernel\n", effect=half)
    error = failure(extlinux, backup=True)
    assert error.reason.code == "boot_menu_not_regenerated"
    assert "(exit status 3): it said 'no kernel'" in error.reason.message
    assert error.details == {
        "stage": "regenerate",
        "rc": 3,
        "stdout": "out",
        "stderr": "no kernel\n",
    }
    assert contents(extlinux) == before
    assert extlinux.runner.calls == [(COMMAND,)]


def test_command_that_writes_another_file_leaves_everything_as_it_was(
    extlinux: fakes.FakeHost,
) -> None:
    before = contents(extlinux)
    extlinux.runner.on(COMMAND, effect=lambda: extlinux.write(f"{MENU}.new", menu("new")))
    error = failure(extlinux)
    assert error.reason.code == "boot_menu_not_regenerated"
    assert "by kexec_load_disabled=0" in error.reason.message
    assert "overwrite" in error.reason.remedy
    assert contents(extlinux) == before


def test_menu_that_cannot_be_read_afterwards_is_put_back(extlinux: fakes.FakeHost) -> None:
    before = contents(extlinux)
    extlinux.runner.on(COMMAND, effect=lambda: extlinux.write(MENU, "INCLUDE x\n"))
    assert "includes another file" in failure(extlinux).reason.message
    assert contents(extlinux) == before


def test_interruption_leaves_everything_as_it_was(extlinux: fakes.FakeHost) -> None:
    def interrupt() -> None:
        extlinux.write(MENU, "half of a m")
        raise KeyboardInterrupt

    before = contents(extlinux)
    extlinux.runner.on(COMMAND, effect=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ensure(extlinux)
    assert contents(extlinux) == before


def test_what_cannot_be_put_back_is_told_loudly(
    extlinux: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        monkeypatch.setattr(CREATE, fail(errno.EROFS))

    extlinux.runner.on(COMMAND, rc=1, effect=break_down)
    error = failure(extlinux)
    assert (error.reason.code, error.reason.blocks) == ("boot_config_damaged", "reboot")
    assert SETTINGS in error.reason.message
    assert error.details["rc"] == 1


def test_entry_that_becomes_too_long_by_other_settings_is_put_back(
    extlinux: fakes.FakeHost,
) -> None:
    long = menu(f"quiet kexec_load_disabled=0 {'x' * 2000}")
    extlinux.runner.on(COMMAND, effect=lambda: extlinux.write(MENU, long))
    before = contents(extlinux)
    assert failure(extlinux).reason.code == "cmdline_too_long"
    assert contents(extlinux) == before


def test_file_system_that_is_read_only_is_left_so_unless_it_is_a_medium(
    extlinux: fakes.FakeHost,
) -> None:
    extlinux.write("/proc/mounts", "/dev/sda1 / ext4 ro 0 0\n")
    ensure(extlinux)
    assert extlinux.runner.calls == [(COMMAND,)]


# --- What a boot loader finds after a power cut --------------------------------------------


def make_elsewhere(alpine: fakes.FakeHost) -> None:
    """What update-extlinux does where it renames the menu."""
    text = alpine.path(SETTINGS).read_text(errors="surrogateescape")
    alpine.write(f"{MENU}.new", menu(text.partition('opts="')[2].partition('"')[0]))
    alpine.path(f"{MENU}.new").rename(alpine.path(MENU))


def test_generated_menu_is_on_the_disk_before_and_after_it_gets_its_name(
    extlinux: fakes.FakeHost,
) -> None:
    extlinux.runner.on(COMMAND, effect=lambda: make_elsewhere(extlinux))
    old = extlinux.path(MENU).read_bytes()
    ensure(extlinux)
    new = extlinux.path(MENU).read_bytes()
    assert [each["extlinux.conf"] for each in extlinux.checkpoints] == [old, new]
    assert new in extlinux.checkpoints[0].values()
    assert extlinux.path(SECOND).read_bytes() == old


def test_menu_that_is_edited_is_on_the_disk_before_and_after_it_gets_its_name(
    alpine: fakes.FakeHost,
) -> None:
    old = alpine.path(MENU).read_bytes()
    ensure(alpine, Change("loglevel", "3"))
    new = alpine.path(MENU).read_bytes()
    assert [each["extlinux.conf"] for each in alpine.checkpoints] == [old, new]
    assert new in alpine.checkpoints[0].values()
    assert alpine.path(SECOND).read_bytes() == old


def test_one_second_name_is_left_for_any_number_of_changes(extlinux: fakes.FakeHost) -> None:
    extlinux.runner.on(COMMAND, effect=lambda: make_elsewhere(extlinux))
    before = set(extlinux.snapshot())
    for value in ("1", "2", "3"):
        ensure(extlinux, Change("panic", value))
    left = set(extlinux.snapshot()) - before
    assert {path for path in left if "/run" not in path} == {str(extlinux.path(SECOND))}
    assert "panic=2" in extlinux.path(SECOND).read_text()
    assert choose.installed_flavours(extlinux.host.names("/boot")) == ["virt"]


def test_menu_of_a_command_that_failed_never_takes_the_place_of_the_old_one(
    extlinux: fakes.FakeHost,
) -> None:
    inode, before = extlinux.path(MENU).stat().st_ino, contents(extlinux)
    extlinux.runner.on(COMMAND, rc=1, effect=lambda: make_elsewhere(extlinux))
    failure(extlinux)
    assert contents(extlinux) == before
    assert extlinux.path(MENU).stat().st_ino == inode
    old = extlinux.path(MENU).read_bytes()
    assert {each["extlinux.conf"] for each in extlinux.checkpoints} == {old}


def test_menu_that_lost_what_the_host_boots_with_is_put_back(extlinux: fakes.FakeHost) -> None:
    made = fakes.extlinux("kexec_load_disabled=0", initrd="")
    before = contents(extlinux)
    extlinux.runner.on(COMMAND, effect=lambda: extlinux.write(MENU, made))
    error = failure(extlinux)
    assert error.reason.code == "boot_menu_not_regenerated"
    assert f"The entry 'virt' of {MENU} has dropped its initramfs, root=." in error.reason.message
    assert contents(extlinux) == before


@pytest.mark.parametrize("made", ["", "INCLUDE x\n"])
def test_menu_that_is_not_proven_is_never_written_back_under_the_name(
    extlinux: fakes.FakeHost, made: str
) -> None:
    def make() -> None:
        extlinux.write(f"{MENU}.new", made)
        extlinux.path(f"{MENU}.new").rename(extlinux.path(MENU))

    old, before = extlinux.path(MENU).read_bytes(), contents(extlinux)
    extlinux.runner.on(COMMAND, effect=make)
    assert "cannot be read" in failure(extlinux).reason.message
    assert {each["extlinux.conf"] for each in extlinux.checkpoints} == {old}
    assert contents(extlinux) == before


@pytest.fixture(params=["", "\0" * 512, "INCLUDE x\n"], ids=["empty", "zeros", "not understood"])
def killed(extlinux: fakes.FakeHost, request: pytest.FixtureRequest) -> fakes.FakeHost:
    """What a run leaves that was killed before it proved the menu."""
    extlinux.write(SETTINGS, NEW)
    extlinux.path(MENU).rename(extlinux.path(SECOND))
    extlinux.write(MENU, request.param)
    return extlinux


def test_last_good_menu_stays_while_a_command_makes_another(killed: fakes.FakeHost) -> None:
    good = killed.path(SECOND).read_bytes()

    def make() -> None:
        assert killed.path(SECOND).read_bytes() == killed.path(MENU).read_bytes() == good
        make_elsewhere(killed)

    killed.runner.on(COMMAND, effect=make)
    assert ensure(killed)["regenerated"] is True
    assert "kexec_load_disabled=0\n" in killed.path(MENU).read_text()
    assert killed.path(SECOND).read_bytes() == good


def test_last_good_menu_is_not_lost_where_no_other_can_be_made(killed: fakes.FakeHost) -> None:
    good, bad = killed.path(SECOND).read_bytes(), killed.path(MENU).read_bytes()
    killed.runner.on(COMMAND, rc=1, effect=lambda: killed.write(MENU, "half of a m"))
    assert failure(killed).reason.code == "boot_menu_not_regenerated"
    if bad.strip(b"\0"):
        # It may be right in a way that only the boot loader understands.
        assert killed.path(MENU).read_bytes() == bad
        assert killed.path(SECOND).read_bytes() == good
    else:
        assert killed.path(MENU).read_bytes() == good


@pytest.mark.parametrize("other", ["INCLUDE y\n", None])
def test_what_is_no_menu_itself_does_not_take_the_place_of_one(
    killed: fakes.FakeHost, other: str | None
) -> None:
    bad = killed.path(MENU).read_bytes()
    killed.remove(SECOND)
    if other is None:
        killed.path(SECOND).mkdir()
    else:
        killed.write(SECOND, other)
    killed.runner.on(COMMAND, rc=1)
    failure(killed)
    assert killed.path(MENU).read_bytes() == bad


def test_old_menu_of_an_earlier_change_is_not_what_a_failure_puts_back(
    mkconfig: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkconfig.write(GRUB_SECOND, GRUB_ENTRY.format("stale"))
    now = mkconfig.path(GRUB_MENU).read_bytes()
    seen: list[bytes] = []
    real = draft.make

    def look(path: str, *arguments: t.Any, **options: t.Any) -> None:
        seen.append(mkconfig.path(GRUB_MENU).read_bytes())
        real(path, *arguments, **options)

    def make() -> None:
        # A command that knows one place only.
        mkconfig.write(GRUB_MENU, "half of a m")
        monkeypatch.setattr(CREATE, look)

    mkconfig.runner.on(MAKER, effect=make)
    failure(mkconfig)
    assert b"half of a m" in seen
    assert not any(b"stale" in each for each in [*seen, mkconfig.path(GRUB_MENU).read_bytes()])
    assert mkconfig.path(GRUB_MENU).read_bytes() == now


# --- GRUB, whose command line stands in two files ------------------------------------------

GRUB_ENTRY = "set default=0\nmenuentry 'Alpine' {{\n\tlinux /boot/vmlinuz-virt {}\n}}\n"


@pytest.fixture
def grub(alpine: fakes.FakeHost) -> fakes.FakeHost:
    alpine.remove(MENU)
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    alpine.write(SETTINGS, 'default_kernel_opts="panic=1 kexec_load_disabled=1"\n')
    alpine.write(GRUB, 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    alpine.write(GRUB_MENU, GRUB_ENTRY.format("panic=1 kexec_load_disabled=1 quiet"))
    alpine.runner.installed["update-grub"] = "/sbin/update-grub"
    return alpine


def test_grub_is_changed_in_both_files(grub: fakes.FakeHost) -> None:
    wanted = GRUB_ENTRY.format("panic=1 kexec_load_disabled=0 quiet loglevel=3")
    grub.runner.on("/sbin/update-grub", effect=lambda: grub.write(GRUB_MENU, wanted))
    result = ensure(grub, UNLOCK, Change("loglevel", "3"))
    assert [each["after_header"] for each in result["diff"]] == [GRUB, SETTINGS]
    assert grub.path(SETTINGS).read_text() == (
        'default_kernel_opts="panic=1 kexec_load_disabled=0"\n'
    )
    assert grub.path(GRUB).read_text() == 'GRUB_CMDLINE_LINUX_DEFAULT="quiet loglevel=3"\n'


def test_second_file_that_cannot_be_written_restores_the_first(
    grub: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, before = os.replace, contents(grub)

    def only_grub(source: str, target: str) -> None:
        if target.endswith("update-extlinux.conf"):
            fail(errno.EROFS)()
        replace(source, target)

    monkeypatch.setattr(os, "replace", only_grub)
    error = failure(grub, UNLOCK, Change("loglevel", "3"))
    assert SETTINGS in error.reason.message
    assert contents(grub) == before


def test_grub_settings_that_are_missing_are_made_and_taken_away_again(
    grub: fakes.FakeHost,
) -> None:
    grub.remove(GRUB)
    before = contents(grub)
    grub.runner.on("/sbin/update-grub", rc=1)
    failure(grub, Change("loglevel", "3"))
    assert contents(grub) == before


@pytest.mark.parametrize("value", ["$x", "it's", "'quoted'", "a\\b"])
def test_uboot_does_not_get_what_it_would_replace_or_take_away(
    alpine: fakes.FakeHost, value: str
) -> None:
    alpine.remove("/boot/extlinux.conf")
    alpine.remove("/etc/update-extlinux.conf")
    menu = "label a\nkernel /k\nappend quiet\n"
    alpine.write("/boot/extlinux/extlinux.conf", menu)
    error = failure(alpine, Change("foo", value), boot_loader="uboot")
    assert error.reason.code == "parameter_invalid"
    assert "uboot would not hand on" in error.reason.message


@pytest.mark.parametrize("value", ["64M$0x10", "a;b", "it's", "a\\b"])
def test_grub_does_not_get_what_its_shell_would_replace(grub: fakes.FakeHost, value: str) -> None:
    error = failure(grub, Change("memmap", value))
    assert error.reason.code == "parameter_invalid"
    assert "grub would not hand on" in error.reason.message


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({GRUB: "grub.real"}, id="beside it"),
        pytest.param({GRUB: "grub.one", "/etc/default/grub.one": "../grub.real"}, id="chain"),
        pytest.param({"/etc/default": "site", GRUB: "grub.real"}, id="in a linked directory"),
        pytest.param({GRUB: "../site/grub.real"}, id="elsewhere"),
    ],
)
def test_links_to_settings_that_are_missing_stay_and_lead_nowhere_again(
    grub: fakes.FakeHost, links: dict[str, str]
) -> None:
    grub.remove(GRUB)
    grub.path("/etc/default").rmdir()
    grub.path("/etc/site").mkdir()
    for path, target in links.items():
        grub.path(path).parent.mkdir(exist_ok=True)
        grub.path(path).symlink_to(target)
    before = contents(grub)
    grub.runner.on("/sbin/update-grub", rc=1)
    assert failure(grub, Change("loglevel", "3")).reason.code == "boot_menu_not_regenerated"
    assert contents(grub) == before
    assert {path: str(grub.path(path).readlink()) for path in links} == links
    assert not grub.path(GRUB).exists()


@pytest.mark.parametrize("renames", [False, True])
def test_link_to_a_menu_that_is_missing_stays_and_leads_nowhere_again(
    extlinux: fakes.FakeHost, renames: bool
) -> None:
    def make() -> None:
        made = extlinux.path(f"{MENU}.new" if renames else MENU)
        made.write_text("INCLUDE x\n")
        made.rename(extlinux.path(MENU) if renames else made)

    extlinux.remove(MENU)
    extlinux.path(MENU).symlink_to("extlinux.real")
    before = contents(extlinux)
    extlinux.runner.on(COMMAND, effect=make)
    assert failure(extlinux).reason.code == "boot_menu_not_regenerated"
    assert contents(extlinux) == before
    assert str(extlinux.path(MENU).readlink()) == "extlinux.real"


# --- GRUB, whose menu is made beside its place -----------------------------------------------

MAKER, DRAFT = "/sbin/grub-mkconfig", "/boot/grub/.grub.cfg.boot-parameter-new"
GRUB_SECOND = "/boot/grub/.grub.cfg.boot-parameter-old"
WANTED = GRUB_ENTRY.format("panic=1 kexec_load_disabled=0 quiet")


@pytest.fixture
def mkconfig(grub: fakes.FakeHost) -> fakes.FakeHost:
    grub.runner.installed["grub-mkconfig"] = MAKER
    grub.runner.on(MAKER, "-o", DRAFT, effect=lambda: grub.write(DRAFT, WANTED))
    return grub


def test_menu_of_grub_is_put_in_place_by_this_collection(mkconfig: fakes.FakeHost) -> None:
    old = mkconfig.path(GRUB_MENU).read_bytes()
    mkconfig.path(GRUB_MENU).chmod(0o600)
    ensure(mkconfig)
    first, last = mkconfig.checkpoints
    assert (first["grub.cfg"], last["grub.cfg"]) == (old, WANTED.encode())
    assert WANTED.encode() in first.values()
    assert mkconfig.path(GRUB_SECOND).read_bytes() == old
    assert sorted(path.name for path in mkconfig.path("/boot/grub").iterdir()) == [
        ".grub.cfg.boot-parameter-old",
        "grub.cfg",
    ]
    assert stat.S_IMODE(mkconfig.path(GRUB_MENU).stat().st_mode) == 0o600
    assert ensure(mkconfig)["changed"] is False


@pytest.mark.parametrize(
    ("rc", "made", "message"),
    [
        pytest.param(1, WANTED, "failed (exit status 1): it said 'syntax'", id="failure"),
        pytest.param(0, None, f"{MAKER} left no menu in {DRAFT}", id="nothing"),
        pytest.param(0, "", f"{MAKER} left no menu in {DRAFT}", id="empty"),
        pytest.param(0, "source x\n", f"{GRUB_MENU} cannot be read", id="not readable"),
        pytest.param(0, WANTED.rpartition("}")[0], "not followed", id="cut off"),
        pytest.param(0, GRUB_ENTRY.format("quiet"), "by kexec_load_disabled=0", id="old"),
    ],
)
def test_menu_of_grub_that_is_not_whole_and_right_never_gets_the_name(
    mkconfig: fakes.FakeHost, rc: int, made: str | None, message: str
) -> None:
    def make() -> None:
        mkconfig.write(f"{DRAFT}.new", "half of a m")
        if made is not None:
            mkconfig.write(DRAFT, made)

    inode, before = mkconfig.path(GRUB_MENU).stat().st_ino, contents(mkconfig)
    mkconfig.runner.on(MAKER, rc=rc, stderr="syntax", effect=make)
    error = failure(mkconfig)
    assert error.reason.code == "boot_menu_not_regenerated"
    assert message in error.reason.message
    assert error.details["stderr"] == "syntax"
    assert contents(mkconfig) == before
    assert mkconfig.path(GRUB_MENU).stat().st_ino == inode
    assert mkconfig.checkpoints == []


def test_draft_of_a_run_that_was_killed_is_not_taken_for_the_menu(
    mkconfig: fakes.FakeHost,
) -> None:
    before = contents(mkconfig)
    mkconfig.write(DRAFT, WANTED)
    mkconfig.write(f"{DRAFT}.new", "half of a m")
    mkconfig.runner.on(MAKER)
    assert "left no menu" in failure(mkconfig).reason.message
    assert contents(mkconfig) == before


@pytest.mark.parametrize("check_mode", [True, False])
def test_menu_of_grub_with_another_name_is_refused(
    mkconfig: fakes.FakeHost, check_mode: bool
) -> None:
    os.link(mkconfig.path(GRUB_MENU), mkconfig.path("/boot/grub/mine"))
    assert "it has another name" in failure(mkconfig, check_mode=check_mode).reason.message


# --- Others --------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("path", ["/boot/limine.conf", "/boot/limine/limine.conf"])
def test_menu_is_changed_only_where_it_is_the_only_one(
    alpine: fakes.FakeHost, path: str, check_mode: bool
) -> None:
    text = "/Alpine\nprotocol: linux\npath: boot():/vmlinuz-virt\ncmdline: quiet\n"
    alpine.remove(MENU)
    alpine.write("/boot/limine.conf", text)
    alpine.write("/boot/limine/limine.conf", text)
    before = contents(alpine)
    error = failure(alpine, check_mode=check_mode, boot_loader="limine")
    assert error.reason.code == "boot_loader_ambiguous"
    assert contents(alpine) == before
    alpine.remove(path)
    assert ensure(alpine, boot_loader="limine")["changed"] is True


def test_medium_is_writable_for_a_moment(alpine: fakes.FakeHost) -> None:
    path = "/media/sda1/boot/syslinux/syslinux.cfg"
    alpine.remove(MENU)
    alpine.write(path, "LABEL lts\nKERNEL /boot/vmlinuz-lts\nAPPEND quiet\n")
    alpine.write("/proc/mounts", "/dev/sda1 /media/sda1 vfat ro 0 0\n")
    alpine.runner.installed["mount"] = "/bin/mount"
    alpine.runner.on("/bin/mount")
    result = ensure(alpine)
    assert (result["boot_loader"], result["regenerated"]) == ("syslinux", False)
    assert alpine.path(path).read_text().endswith("APPEND quiet kexec_load_disabled=0\n")
    assert [call[2] for call in alpine.runner.calls] == ["remount,rw", "remount,ro"]
    assert ensure(alpine)["changed"] is False
    assert len(alpine.runner.calls) == 2


def test_images_are_made_of_the_old_settings_again(alpine: fakes.FakeHost) -> None:
    conf, hook = "/etc/kernel-hooks.d/secureboot.conf", "/etc/kernel-hooks.d/secureboot.hook"
    alpine.write(conf, 'cmdline="quiet"\n')
    alpine.write(hook, "")
    alpine.add_flavour("lts", "6.18.56-0-lts")
    alpine.runner.on(hook)
    alpine.runner.on(hook, "virt", rc=1, stderr="no key")
    before = contents(alpine)
    error = failure(alpine, boot_loader="uki")
    assert error.reason.code == "boot_menu_not_regenerated"
    assert contents(alpine) == before
    assert [call[1] for call in alpine.runner.calls] == ["lts", "virt", "lts"]


IMAGE = "/boot/EFI/Linux/linux-virt.efi"
IMAGE_SECOND = "/boot/EFI/Linux/.linux-virt.efi.boot-parameter-old"


@pytest.fixture
def uki(alpine: fakes.FakeHost) -> fakes.FakeHost:
    hook = "/etc/kernel-hooks.d/secureboot.hook"
    alpine.write(
        "/etc/kernel-hooks.d/secureboot.conf", 'cmdline="quiet"\noutput_dir=/boot/EFI/Linux\n'
    )
    alpine.write(hook, "")
    alpine.write(IMAGE, "old")

    def make() -> None:
        alpine.write("/boot/unsigned", "new")
        alpine.path("/boot/unsigned").rename(alpine.path(IMAGE))

    alpine.runner.on(hook, "virt", effect=make)
    return alpine


CONF, HOOK = "/etc/kernel-hooks.d/secureboot.conf", "/etc/kernel-hooks.d/secureboot.hook"
OWED = "/etc/kernel-hooks.d/.secureboot.conf.boot-parameter-owed"


def test_image_is_owed_from_before_the_settings_are_written_until_it_is_made(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    replace = os.replace

    def note(source: str, target: str) -> None:
        seen.append(uki.path(OWED).exists())
        replace(source, target)

    monkeypatch.setattr(os, "replace", note)
    ensure(uki, boot_loader="uki")
    assert len(seen) > 2
    assert all(seen)
    assert not uki.path(OWED).exists()
    assert ensure(uki, boot_loader="uki")["changed"] is False


def test_image_that_a_killed_run_owes_is_made_by_the_next_one(uki: fakes.FakeHost) -> None:
    uki.write(CONF, 'cmdline="quiet kexec_load_disabled=0"\noutput_dir=/boot/EFI/Linux\n')
    uki.write(OWED, "")
    told = ensure(uki, check_mode=True, boot_loader="uki")
    assert (told["changed"], told["regenerated"], told["diff"]) == (True, True, [])
    assert uki.path(OWED).exists()
    assert ensure(uki, boot_loader="uki") == told
    assert uki.path(IMAGE).read_bytes() == b"new"
    assert ensure(uki, boot_loader="uki")["changed"] is False


def test_boot_loader_whose_menu_can_be_read_owes_nothing_by_a_mark(
    extlinux: fakes.FakeHost,
) -> None:
    extlinux.runner.on(COMMAND, effect=lambda: marks.extend(extlinux.root.rglob("*-owed")))
    marks: list[object] = []
    failure(extlinux)
    assert marks == []


def test_images_of_which_the_place_is_not_known_are_on_the_disk_before_none_is_owed(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = "/etc/.zipl.conf.boot-parameter-owed"
    owed: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: owed.append(uki.path(mark).exists()))
    uki.write("/etc/zipl.conf", "[alpine]\nimage=/boot/vmlinuz\nparameters=quiet\n")
    uki.runner.installed["zipl"] = "/sbin/zipl"
    uki.runner.on("/sbin/zipl")
    ensure(uki, boot_loader="zipl")
    assert owed == [True]
    assert not uki.path(mark).exists()


@pytest.mark.parametrize("again", [0, 1])
def test_image_that_is_owed_stays_owed_when_the_next_run_fails(
    uki: fakes.FakeHost, again: int
) -> None:
    """How the killed run left it is not known, also if the command of this one did nothing."""
    uki.write(CONF, 'cmdline="quiet kexec_load_disabled=0"\noutput_dir=/boot/EFI/Linux\n')
    uki.write(OWED, "")
    uki.runner.on(HOOK, rc=1, effect=lambda: uki.runner.on(HOOK, rc=again))
    code = "boot_config_damaged" if again else "boot_menu_not_regenerated"
    assert failure(uki, boot_loader="uki").reason.code == code
    assert uki.path(OWED).exists()
    assert ensure(uki, check_mode=True, boot_loader="uki")["changed"] is True


def test_mark_that_cannot_be_removed_is_left_behind_a_failure(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    uki.runner.on(HOOK, rc=1)
    monkeypatch.setattr(Writer, "discard", fail_to_write)
    assert failure(uki, boot_loader="uki").reason.code == "boot_menu_not_regenerated"
    assert uki.path(OWED).exists()


def test_mark_that_cannot_be_made_is_a_failure_before_anything_is_written(
    uki: fakes.FakeHost,
) -> None:
    before = uki.path(CONF).read_bytes()
    uki.path(OWED).mkdir()
    uki.path(OWED).joinpath("full").touch()
    assert OWED in failure(uki, boot_loader="uki").reason.message
    assert uki.path(CONF).read_bytes() == before


def test_image_is_on_the_disk_before_and_after_it_gets_its_name(uki: fakes.FakeHost) -> None:
    ensure(uki, boot_loader="uki")
    assert [each["linux-virt.efi"] for each in uki.checkpoints] == [b"old", b"new"]
    assert uki.path(IMAGE_SECOND).read_bytes() == b"old"


def test_image_that_was_kept_is_put_back_and_not_made_again(uki: fakes.FakeHost) -> None:
    uki.add_flavour("zfs", "6.18.56-0-zfs")
    uki.write("/boot/EFI/Linux/linux-zfs.efi", "old")
    uki.runner.on("/etc/kernel-hooks.d/secureboot.hook", "zfs", rc=1)
    before = contents(uki)
    failure(uki, boot_loader="uki")
    assert contents(uki) == before
    assert [call[1] for call in uki.runner.calls] == ["virt", "zfs"]


def test_image_that_could_not_be_kept_is_made_again_and_written_back(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    uki.add_flavour("zfs", "6.18.56-0-zfs")
    uki.runner.on("/etc/kernel-hooks.d/secureboot.hook", "zfs", rc=1)
    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    failure(uki, boot_loader="uki")
    assert [call[1] for call in uki.runner.calls] == ["virt", "zfs", "virt"]
    assert uki.checkpoints[-1]["linux-virt.efi"] == b"new"


def test_image_that_was_written_in_place_is_made_again(uki: fakes.FakeHost) -> None:
    """The second name leads to the same inode then, as where sbsign writes."""
    hook = "/etc/kernel-hooks.d/secureboot.hook"
    uki.add_flavour("zfs", "6.18.56-0-zfs")
    uki.write("/boot/EFI/Linux/linux-zfs.efi", "old")
    made = iter(["new", "old again"])
    uki.runner.on(hook, "virt", effect=lambda: uki.write(IMAGE, next(made)))
    uki.runner.on(hook, "zfs", rc=1)
    failure(uki, boot_loader="uki")
    assert [call[1] for call in uki.runner.calls] == ["virt", "zfs", "virt"]
    assert uki.path(IMAGE).read_bytes() == b"old again"


def half(uki: fakes.FakeHost) -> None:
    uki.write(IMAGE, "half of an i")
    # It fails once: the disk was full.
    uki.runner.on(HOOK, "virt", effect=lambda: uki.write(IMAGE, "old again"))


def test_image_that_a_command_left_half_written_is_made_again(uki: fakes.FakeHost) -> None:
    settings = uki.path(CONF).read_bytes()
    uki.runner.on(HOOK, "virt", rc=1, stderr="No space", effect=lambda: half(uki))
    assert failure(uki, boot_loader="uki").reason.code == "boot_menu_not_regenerated"
    assert uki.path(IMAGE).read_bytes() == b"old again"
    assert uki.path(CONF).read_bytes() == settings
    assert not uki.path(OWED).exists()


@pytest.mark.parametrize("links", [True, False])
def test_image_that_stays_half_written_is_told_and_owed(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def renamed() -> None:
        uki.path(IMAGE).rename(uki.path(f"{IMAGE}.bak"))
        uki.write(IMAGE, "half of an i")

    if not links:
        monkeypatch.setattr(os, "link", fail(errno.EPERM))
    in_place = functools.partial(uki.write, IMAGE, "half of an i")
    uki.runner.on(HOOK, rc=1, stderr="No space", effect=in_place if links else renamed)
    error = failure(uki, boot_loader="uki")
    assert (error.reason.code, error.reason.blocks) == ("boot_config_damaged", "reboot")
    assert f"it said 'No space', and {IMAGE} may not be whole" in error.reason.message
    assert "run it when its cause is gone" in error.reason.remedy
    assert uki.path(OWED).exists()
    assert ensure(uki, check_mode=True, boot_loader="uki")["changed"] is True


def test_images_of_which_the_place_is_not_known_are_made_again(uki: fakes.FakeHost) -> None:
    uki.write("/etc/zipl.conf", "[alpine]\nimage=/boot/vmlinuz\nparameters=quiet\n")
    uki.runner.installed["zipl"] = "/sbin/zipl"
    uki.runner.on("/sbin/zipl", rc=1)
    error = failure(uki, boot_loader="zipl")
    assert error.reason.code == "boot_config_damaged"
    assert "/sbin/zipl failed" in error.reason.message
    assert len(uki.runner.calls) == 2


@pytest.mark.parametrize("stuck", [False, True])
def test_error_that_nobody_expected_restores_and_tells_what_it_cannot(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, stuck: bool
) -> None:
    def make() -> None:
        uki.write(IMAGE, "new")
        uki.runner.on(HOOK, rc=int(stuck), effect=lambda: uki.write(IMAGE, "old again"))
        monkeypatch.setattr(Writer, "settle", fail(errno.EIO))

    uki.runner.on(HOOK, effect=make)
    error = failure(uki, boot_loader="uki")
    assert "Input/output error" in error.reason.message
    damaged = "boot_config_damaged" if stuck else "boot_config_unwritable"
    assert error.reason.code == damaged
    assert (IMAGE in error.reason.message) is stuck
    assert uki.path(IMAGE).read_bytes() == b"old again"


def test_disk_that_fails_behind_an_image_that_was_made_again_is_told(
    uki: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    uki.runner.on(HOOK, rc=1, effect=lambda: half(uki))
    monkeypatch.setattr(Writer, "sync", fail(errno.EIO))
    error = failure(uki, boot_loader="uki")
    assert error.reason.code == "boot_config_damaged"
    assert "the images may not be on the disk" in error.reason.message


def test_exit_passes_when_everything_is_as_it_was_and_images_stay_owed(
    uki: fakes.FakeHost,
) -> None:
    def leave() -> None:
        uki.write(IMAGE, "half of an i")
        raise SystemExit(1)

    settings = uki.path(CONF).read_bytes()
    uki.runner.on(HOOK, effect=leave)
    with pytest.raises(SystemExit):
        ensure(uki, boot_loader="uki")
    assert uki.path(CONF).read_bytes() == settings
    assert uki.path(OWED).exists()


def test_command_that_fails_the_second_time_is_told_with_what_it_said(
    alpine: fakes.FakeHost,
) -> None:
    hook = "/etc/kernel-hooks.d/secureboot.hook"
    alpine.write("/etc/kernel-hooks.d/secureboot.conf", 'cmdline="quiet"\n')
    alpine.write(hook, "")
    alpine.add_flavour("lts", "6.18.56-0-lts")
    alpine.runner.on(
        hook, "lts", effect=lambda: alpine.runner.on(hook, "lts", rc=2, stderr="key gone")
    )
    alpine.runner.on(hook, "virt", rc=1)
    error = failure(alpine, boot_loader="uki")
    assert error.reason.code == "boot_config_damaged"
    assert f"{hook} failed (exit status 2): it said 'key gone'" in error.reason.message


def test_image_of_no_kernel_is_a_failure(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/kernel-hooks.d/secureboot.conf", 'cmdline="quiet"\n')
    alpine.write("/etc/kernel-hooks.d/secureboot.hook", "")
    alpine.remove("/usr/share/kernel")
    assert "No kernel is installed" in failure(alpine, boot_loader="uki").reason.message


# --- The options ---------------------------------------------------------------------------

PARAMS = {
    "state": "present",
    "name": None,
    "value": None,
    "parameters": None,
    "multiple": False,
    "boot_loader": "auto",
    "backup": False,
}


def test_options_of_one_and_of_several() -> None:
    one = parameter.options_of({**PARAMS, "name": "a", "value": "1", "state": "absent"})
    assert one.changes == (Change("a", "1", present=False),)
    given = [{"name": "a", "value": None}, {"name": "b", "value": "2"}]
    several = parameter.options_of({**PARAMS, "parameters": given, "multiple": True})
    assert several.changes == (Change("a", multiple=True), Change("b", "2", multiple=True))


def test_option_that_no_command_line_can_hold_is_refused() -> None:
    with pytest.raises(ReasonError) as caught:
        parameter.options_of({**PARAMS, "name": "a", "value": 'x"y'})
    assert caught.value.reason.code == "parameter_invalid"


# --- The plan, as a function of what is there ----------------------------------------------

UPDATED = editors.Settings(
    "extlinux",
    (SETTINGS,),
    update_extlinux.lines,
    menu_commands.one("update-extlinux"),
    menu=MENU,
    fixed=update_extlinux.GENERATED,
)
SHOWN = Entry("virt", "vmlinuz-virt", ("initramfs-virt",), "root=UUID=1 quiet")


@pytest.mark.parametrize(
    ("text", "entry", "change", "writes", "regenerates"),
    [
        pytest.param('default_kernel_opts="quiet"\n', SHOWN, "a=1", True, True, id="a new one"),
        pytest.param('default_kernel_opts="quiet"\n', SHOWN, "quiet", False, False, id="is there"),
        pytest.param(
            'default_kernel_opts="quiet a=1"\n', SHOWN, "a=1", False, True, id="menu is behind"
        ),
        pytest.param(
            'default_kernel_opts="a=1"\n', "it is not there", "a=1", False, True, id="no menu"
        ),
        pytest.param(None, SHOWN, "a=1", True, True, id="no settings yet"),
        pytest.param(None, SHOWN, "-a", False, False, id="nothing to remove"),
        pytest.param('default_kernel_opts="a=1 quiet"\n', SHOWN, "-a", True, True, id="removed"),
    ],
)
def test_plan_follows_from_what_is_there(
    text: str | None, entry: Entry | str, change: str, writes: bool, regenerates: bool
) -> None:
    seen = parameter.Seen(UPDATED, {SETTINGS: text}, "x86_64", entry)
    name, equals, value = change.lstrip("-").partition("=")
    wanted = Change(name, value if equals else None, present=not change.startswith("-"))
    found = parameter.plan(seen, Options((wanted,), "auto", backup=False))
    assert (bool(found.writes), found.regenerates) == (writes, regenerates)


@pytest.mark.parametrize(("owed", "regenerates"), [(True, True), (False, False)])
def test_images_that_were_left_undone_are_made(owed: bool, regenerates: bool) -> None:
    settings = replace(UPDATED, menu=None, images=("/boot/a.efi",))
    seen = parameter.Seen(settings, {SETTINGS: 'default_kernel_opts="a=1"\n'}, "x86_64", owed=owed)
    found = parameter.plan(seen, Options((Change("a", "1"),), "auto", backup=False))
    assert (found.writes, found.regenerates) == ((), regenerates)


# --- What the menu must say ----------------------------------------------------------------


def test_missing_names_what_an_entry_does_not_hold() -> None:
    entry = Entry("Alpine", "vmlinuz", (), "quiet a=1")
    changes = (Change("a", "1"), Change("b", "2"), Change("quiet", present=False))
    assert Parameters(changes).missing(entry) == ["b=2", "quiet"]


WHOLE = Entry("Alpine", "vmlinuz", ("initramfs",), "root=/dev/a quiet")


@pytest.mark.parametrize(
    ("entry", "dropped"),
    [
        pytest.param(WHOLE, [], id="the same"),
        pytest.param(Entry("A", "vmlinuz-2", ("i", "j"), "root=/dev/b"), [], id="other names"),
        pytest.param(replace(WHOLE, kernel=""), ["its kernel"], id="no kernel"),
        pytest.param(replace(WHOLE, initramfs=()), ["its initramfs"], id="no initramfs"),
        pytest.param(replace(WHOLE, initramfs=("",)), ["its initramfs"], id="no name of one"),
        pytest.param(replace(WHOLE, cmdline="quiet"), ["root="], id="no root"),
        pytest.param(replace(WHOLE, cmdline="root= quiet"), ["root="], id="empty root"),
        pytest.param(replace(WHOLE, cmdline="-- root=/dev/a"), ["root="], id="root for init"),
    ],
)
def test_what_is_needed_for_the_root_file_system_is_not_to_be_dropped(
    entry: Entry, dropped: list[str]
) -> None:
    assert Parameters((Change("quiet"),)).dropped(WHOLE, entry) == dropped


def test_what_was_not_there_or_is_to_go_is_not_dropped() -> None:
    nothing = Entry("Alpine", "vmlinuz", (), "quiet")
    assert Parameters(()).dropped(nothing, nothing) == []
    without = replace(WHOLE, cmdline="quiet")
    assert Parameters((Change("root", present=False),)).dropped(WHOLE, without) == []

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kexec_load does: only what is needed, nothing in check mode, and failures in full."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import (
    ensure as ensure_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec.once import Once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

Arrange = t.Callable[[fakes.FakeHost], object]

RUN = "/run/alpinefleet-kexec"
WANTED = f"""\
kernel: /boot/vmlinuz-virt
initramfs: /boot/initramfs-virt
cmdline: {fakes.CONFIGURED}
"""
FOREIGN = "an image that was not loaded by alpinefleet.kexec\n"


def wishes(
    token: str | None = None,
    watchdog_timeout: int = 0,
    confirm_timeout: int = 0,
    **wish: t.Any,
) -> tuple[Wish, Once]:
    return Wish(**wish), Once(token, watchdog_timeout, confirm_timeout)


def ensure(
    alpine: fakes.FakeHost, state: str = "loaded", *, check_mode: bool = False, **wish: t.Any
) -> dict[str, t.Any]:
    return ensure_module.ensure(alpine.host, state, lambda: wishes(**wish), check_mode=check_mode)


def refused(
    alpine: fakes.FakeHost, state: str = "loaded", *, check_mode: bool = False, **wish: t.Any
) -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        ensure(alpine, state, check_mode=check_mode, **wish)
    return caught.value


def diff(result: dict[str, t.Any]) -> tuple[str, str]:
    return result["diff"]["before"], result["diff"]["after"]


# --- Loading -------------------------------------------------------------------------------


def test_load_changes_an_empty_kernel(alpine: fakes.FakeHost) -> None:
    result = ensure(alpine)
    assert (result["changed"], result["loaded"], result["able"]) == (True, True, True)
    assert diff(result) == ("", WANTED)
    assert len(alpine.runner.changes) == 1


def test_load_again_is_no_change(alpine: fakes.FakeHost) -> None:
    ensure(alpine)
    before = alpine.snapshot()
    result = ensure(alpine)
    assert (result["changed"], result["loaded"]) == (False, True)
    assert diff(result) == (WANTED, WANTED)
    assert alpine.snapshot() == before
    assert len(alpine.runner.changes) == 1


# --- The guard of the jump ------------------------------------------------------------------

GUARDS: dict[str, t.Any] = {"watchdog_timeout": 60, "confirm_timeout": 300}
WATCHDOG = {"device": "/dev/watchdog0", "driver": "i6300esb", "timeout": 60}


def test_guard_is_on_the_command_line_and_in_the_result(alpine: fakes.FakeHost) -> None:
    result = ensure(alpine, token="abc", **GUARDS)
    assert (result["watchdog"], result["confirm"]) == (WATCHDOG, 300)
    assert result["cmdline"] == (
        f"{fakes.CONFIGURED} alpinefleet_kexec.confirm=300 "
        "alpinefleet_kexec.watchdog=i6300esb,60 alpinefleet_kexec.token=abc"
    )
    assert result["protection"]["hang"] is True


def test_guard_does_not_last_longer_than_one_boot(alpine: fakes.FakeHost) -> None:
    first = ensure(alpine, token="abc", **GUARDS)["cmdline"]
    alpine.write("/proc/cmdline", f"{first}\n")
    second = ensure(alpine, token="abc", cmdline_source="running", **GUARDS)["cmdline"]
    assert second == first
    assert ensure(alpine, cmdline_source="running")["cmdline"] == fakes.CONFIGURED


def test_guard_that_is_not_there_is_told(alpine: fakes.FakeHost) -> None:
    alpine.remove("/etc/runlevels/sysinit/kexec-confirm")
    result = ensure(alpine, **GUARDS)
    assert (result["watchdog"], result["confirm"]) == (None, 0)
    assert result["cmdline"] == fakes.CONFIGURED
    assert [each["code"] for each in result["reasons"]] == ["hang_uncovered"]


def test_nothing_guards_an_image_that_was_loaded_before_the_lock(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    result = ensure(alpine, **GUARDS)
    assert (result["watchdog"], result["confirm"]) == (None, 0)
    protection = result["protection"]
    assert (protection["panic"], protection["hang"], protection["unconfirmed"]) == (
        True,
        False,
        False,
    )
    assert [each["code"] for each in result["reasons"]] == ["kexec_frozen", "hang_uncovered"]


def test_unloading_guards_nothing(alpine: fakes.FakeHost) -> None:
    result = ensure(alpine, "unloaded", **GUARDS)
    assert (result["watchdog"], result["confirm"]) == (None, 0)


# --- The note of the last jump --------------------------------------------------------------

NOTE = "/var/lib/alpinefleet-kexec/jump"
ARRIVED = f"{fakes.CONFIGURED} alpinefleet_kexec.token={fakes.TOKEN}\n"


@pytest.mark.parametrize("state", ["loaded", "unloaded"])
def test_note_of_a_jump_that_arrived_goes(alpine: fakes.FakeHost, state: str) -> None:
    alpine.jump()
    alpine.write("/proc/cmdline", ARRIVED)
    ensure(alpine, state, check_mode=True)
    assert alpine.path(NOTE).exists()
    ensure(alpine, state)
    assert not alpine.path(NOTE).exists()


def test_note_of_a_jump_that_arrived_goes_behind_the_lock(alpine: fakes.FakeHost) -> None:
    alpine.jump()
    alpine.write("/proc/cmdline", ARRIVED)
    alpine.freeze()
    ensure(alpine)
    assert not alpine.path(NOTE).exists()


def test_note_of_a_jump_that_arrived_goes_where_the_next_one_is_refused(
    alpine: fakes.FakeHost,
) -> None:
    alpine.jump()
    alpine.write("/proc/cmdline", ARRIVED)
    alpine.relock()
    assert refused(alpine).reason.code == "kexec_relocked"
    assert not alpine.path(NOTE).exists()


def test_note_of_a_jump_that_arrived_may_stay(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str) -> None:
        raise PermissionError

    alpine.jump()
    alpine.write("/proc/cmdline", ARRIVED)
    monkeypatch.setattr("os.unlink", refuse)
    assert ensure(alpine, "unloaded")["changed"] is False
    assert alpine.path(NOTE).exists()


@pytest.mark.parametrize("state", ["loaded", "unloaded"])
@pytest.mark.parametrize("note", [fakes.JUMP, "garbage"])
def test_note_of_a_jump_that_hung_stays(alpine: fakes.FakeHost, state: str, note: str) -> None:
    alpine.jump(note)
    ensure(alpine, state, ignore=("kexec_hung",))
    assert alpine.path(NOTE).read_text() == note


def test_load_is_refused_after_a_jump_that_hung(alpine: fakes.FakeHost) -> None:
    alpine.jump()
    assert refused(alpine).reason.code == "kexec_hung"


# --- Loading again --------------------------------------------------------------------------


FROZEN: list[t.Any] = [
    pytest.param(fakes.FakeHost.relock, "kexec_relocked", id="locked after loading"),
    pytest.param(fakes.FakeHost.boot_secure, "lockdown", id="locked down after loading"),
    pytest.param(
        lambda host: host.write("/proc/sys/kernel/kexec_load_limit_reboot", "0\n"),
        "kexec_limit_reached",
        id="limit used up by loading",
    ),
    pytest.param(
        lambda host: host.write("/proc/meminfo", "MemAvailable: 1 kB\n"),
        "memory_low",
        id="memory used up by loading",
    ),
]


@pytest.mark.parametrize(("arrange", "code"), FROZEN)
def test_load_again_is_no_change_where_nothing_else_could_be_loaded(
    alpine: fakes.FakeHost, arrange: Arrange, code: str
) -> None:
    ensure(alpine)
    arrange(alpine)
    result = ensure(alpine)
    assert (result["changed"], result["able"], result["method"]) == (False, True, "kexec")
    assert [(each["code"], each["blocks"]) for each in result["reasons"]] == [(code, "nothing")]


@pytest.mark.parametrize(("arrange", "code"), FROZEN)
def test_load_of_another_image_is_refused_where_nothing_else_can_be_loaded(
    alpine: fakes.FakeHost, arrange: Arrange, code: str
) -> None:
    ensure(alpine)
    arrange(alpine)
    assert refused(alpine, token="abc").reason.code == code
    assert len(alpine.runner.changes) == 1


def test_load_takes_what_was_loaded_before_the_lock(alpine: fakes.FakeHost) -> None:
    line = f"alpinefleet_kexec.token=of-the-service {fakes.CONFIGURED}"
    alpine.freeze("of-the-service", line)
    before = alpine.snapshot()
    result = ensure(alpine, token="of-this-run")
    assert (result["changed"], result["loaded"], result["able"]) == (False, True, True)
    assert (result["token"], result["cmdline"]) == ("of-the-service", line)
    assert result["initramfs"] == ["/boot/initramfs-virt"]
    assert [(each["code"], each["blocks"]) for each in result["reasons"]] == [
        ("kexec_frozen", "nothing"),
        ("hang_uncovered", "nothing"),
    ]
    assert diff(result)[0] == diff(result)[1]
    assert alpine.snapshot() == before
    assert alpine.runner.changes == []


SAME: list[t.Any] = [
    pytest.param(fakes.CONFIGURED, {"kernel": "/boot/vmlinuz-virt"}, id="the same kernel by name"),
    pytest.param(fakes.CONFIGURED, {"flavour": "virt"}, id="the same flavour"),
    pytest.param(
        fakes.CONFIGURED, {"initramfs": ("/boot/initramfs-virt",)}, id="the same initramfs by name"
    ),
    pytest.param(fakes.CONFIGURED, {"cmdline_source": "running"}, id="the same line elsewhere"),
    pytest.param(fakes.CONFIGURED, {"append": ("quiet",)}, id="a parameter that is there"),
    pytest.param(fakes.CONFIGURED, {"remove": ("single",)}, id="a parameter that is not there"),
    pytest.param(f"{fakes.RUNNING} alpinefleet_kexec.confirm=9", {}, id="what is for one boot"),
    pytest.param(
        f"{fakes.CONFIGURED} oops=panic alpinefleet_kexec.added=oops=panic", {}, id="what was added"
    ),
    pytest.param(f"panic=5 {fakes.CONFIGURED.replace(' ', '  ')}", {}, id="what does not count"),
]


@pytest.mark.parametrize(("line", "wish"), SAME)
def test_load_of_the_same_image_is_no_change_behind_the_lock(
    alpine: fakes.FakeHost, line: str, wish: dict[str, t.Any]
) -> None:
    alpine.freeze(cmdline=line)
    result = ensure(alpine, **wish)
    assert (result["changed"], result["able"], result["cmdline"]) == (False, True, line)


def test_panic_that_would_have_been_seen_to_for_one_boot_is_told(alpine: fakes.FakeHost) -> None:
    line = fakes.CONFIGURED.replace(" panic=10", "")
    alpine.write("/boot/extlinux.conf", fakes.extlinux(line))
    alpine.freeze(cmdline=line)
    result = ensure(alpine, panic_timeout=10)
    assert "panic_hangs" in [each["code"] for each in result["reasons"]]
    assert (result["able"], result["protection"]["panic"]) == (True, False)


def name_in_the_menu(initrd: str = "initramfs-virt", cmdline: str = fakes.CONFIGURED) -> Arrange:
    """Have the boot loader start something else than before."""

    def arrange(alpine: fakes.FakeHost) -> None:
        alpine.write("/boot/initramfs-new", fakes.initramfs() + bytes(4))
        alpine.write("/boot/extlinux.conf", fakes.extlinux(cmdline, initrd=initrd))

    return arrange


def nothing(_alpine: fakes.FakeHost) -> None:
    """The wish is another one."""


OTHERS: list[t.Any] = [
    pytest.param(name_in_the_menu("initramfs-new"), {}, id="another initramfs in the menu"),
    pytest.param(
        name_in_the_menu("initramfs-new,initramfs-virt"), {}, id="one initramfs more in the menu"
    ),
    pytest.param(
        name_in_the_menu(cmdline=fakes.CONFIGURED.replace("0e5f", "1e5f")), {}, id="another root"
    ),
    pytest.param(
        name_in_the_menu(cmdline=f"{fakes.CONFIGURED} rootflags=subvol=new"), {}, id="more words"
    ),
    pytest.param(
        name_in_the_menu(cmdline=fakes.CONFIGURED.replace(" quiet", "")), {}, id="a word less"
    ),
    pytest.param(nothing, {"initramfs": ("/boot/initramfs-new",)}, id="another initramfs"),
    pytest.param(nothing, {"initramfs": ()}, id="no initramfs"),
    pytest.param(nothing, {"flavour": "lts"}, id="another flavour"),
    pytest.param(nothing, {"append": ("single",)}, id="a parameter more"),
    pytest.param(nothing, {"remove": ("quiet",)}, id="a parameter less"),
    pytest.param(
        nothing, {"cmdline_source": "explicit", "cmdline": "root=/dev/sda1"}, id="another line"
    ),
]


@pytest.mark.parametrize("check_mode", [False, True], ids=["for real", "in check mode"])
@pytest.mark.parametrize(("arrange", "wish"), OTHERS)
def test_load_of_anything_else_is_refused_behind_the_lock(
    alpine: fakes.FakeHost, arrange: Arrange, wish: dict[str, t.Any], check_mode: bool
) -> None:
    name_in_the_menu()(alpine)
    alpine.add_flavour("lts", "6.18.56-0-lts")
    alpine.freeze()
    arrange(alpine)
    error = refused(alpine, check_mode=check_mode, **wish)
    assert error.reason.code == "kexec_frozen"
    held = f"/boot/vmlinuz-virt, /boot/initramfs-virt with {fakes.CONFIGURED!r}"
    assert f"kexec-load loaded {held} at boot" in error.reason.message
    assert error.details["able"] is False
    assert error.details["facts"]["frozen"] is False
    assert alpine.runner.changes == []


# What kexec_load loaded before the service loaded its own image and locked kexec.
LOADED_BEFORE: list[t.Any] = [
    pytest.param({"append": ("single",)}, id="another command line"),
    pytest.param({"flavour": "lts"}, id="another kernel"),
    pytest.param({"initramfs": ()}, id="no initramfs"),
    pytest.param({"cmdline_source": "explicit", "cmdline": "quiet"}, id="another line"),
]


@pytest.mark.parametrize("state", ["loaded", "unloaded"])
@pytest.mark.parametrize("wish", LOADED_BEFORE)
def test_image_that_the_service_replaced_is_not_called_loaded(
    alpine: fakes.FakeHost, wish: dict[str, t.Any], state: str
) -> None:
    alpine.add_flavour("lts", "6.18.56-0-lts")
    ensure(alpine, **wish)
    # The note of that load is there all the same where the service is of an older version.
    alpine.freeze()
    assert alpine.path(f"{RUN}/image.json").exists()
    assert refused(alpine, state, **wish).reason.code == "kexec_frozen"
    assert len(alpine.runner.changes) == 1


@pytest.mark.parametrize("state", ["loaded", "unloaded"])
@pytest.mark.parametrize("note", ["of the service", "of nobody"])
def test_note_of_an_image_that_is_given_up_goes(
    alpine: fakes.FakeHost, state: str, note: str
) -> None:
    alpine.freeze()
    if note == "of nobody":
        alpine.write(f"{RUN}/frozen", "-\n")
    # The service could not lock.
    alpine.write("/proc/sys/kernel/kexec_load_disabled", "0\n")
    assert ensure(alpine, state)["changed"] is True
    assert not alpine.path(f"{RUN}/frozen").exists()
    alpine.hold_image(True)
    alpine.relock()
    assert refused(alpine, state, token="abc").reason.code == "kexec_relocked"


def test_load_behind_the_lock_is_refused_when_the_files_changed(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    alpine.write("/boot/vmlinuz-virt", fakes.bzimage() + b"changed")
    assert refused(alpine).reason.code == "kexec_frozen"


def test_load_behind_the_lock_is_refused_for_another_obstacle(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    alpine.runner.installed.pop("openrc")
    assert refused(alpine).reason.code == "no_openrc"


def test_load_again_is_refused_where_the_image_cannot_run(alpine: fakes.FakeHost) -> None:
    ensure(alpine)
    alpine.relock()
    alpine.become(0, "0000000000000000")
    error = refused(alpine)
    assert error.reason.code == "no_cap_sys_boot"
    assert [each["blocks"] for each in error.details["reasons"]] == ["kexec", "nothing"]


CHANGES: list[t.Any] = [
    pytest.param(lambda host: host.add_flavour("virt", fakes.RELEASE), {}, id="kernel reinstalled"),
    pytest.param(lambda host: None, {"token": "abc"}, id="another token"),
    pytest.param(lambda host: None, {"append": ("quiet=1",)}, id="another command line"),
    pytest.param(lambda host: None, {"initramfs": ()}, id="no initramfs any more"),
    pytest.param(lambda host: host.hold_image(False), {}, id="image taken out by hand"),
    pytest.param(lambda host: host.remove(RUN), {}, id="note lost"),
]


@pytest.mark.parametrize(("arrange", "wish"), CHANGES)
def test_load_again_changes_where_the_image_is_another(
    alpine: fakes.FakeHost, arrange: Arrange, wish: dict[str, t.Any]
) -> None:
    ensure(alpine)
    arrange(alpine)
    assert ensure(alpine, **wish)["changed"] is True
    assert len(alpine.runner.changes) == 2


def test_load_over_a_foreign_image_is_a_change(alpine: fakes.FakeHost) -> None:
    alpine.hold_image(True)
    result = ensure(alpine)
    assert result["changed"] is True
    assert diff(result) == (FOREIGN, WANTED)


@pytest.mark.parametrize("present", [False, True], ids=["empty kernel", "foreign image"])
def test_load_in_check_mode_changes_nothing(alpine: fakes.FakeHost, present: bool) -> None:
    alpine.hold_image(present)
    before = alpine.snapshot()
    result = ensure(alpine, check_mode=True)
    assert (result["changed"], result["loaded"]) == (True, present)
    assert diff(result)[1] == WANTED
    assert alpine.snapshot() == before
    assert alpine.runner.changes == []


def test_load_in_check_mode_says_what_load_says(alpine: fakes.FakeHost) -> None:
    predicted = ensure(alpine, check_mode=True, append=("a",))
    assert {**predicted, "loaded": True} == ensure(alpine, append=("a",))


# --- Refusal before anything is touched ----------------------------------------------------

WRONG: list[t.Any] = [
    pytest.param(
        lambda host: host.write("/boot/vmlinuz-virt", "text"), {}, "kernel_invalid", id="no kernel"
    ),
    pytest.param(
        lambda host: host.write("/boot/vmlinuz-virt", fakes.arm64_image()),
        {},
        "kernel_wrong_architecture",
        id="other architecture",
    ),
    pytest.param(
        lambda host: host.cut("/boot/initramfs-virt", 60), {}, "initramfs_truncated", id="cut"
    ),
    pytest.param(
        lambda host: host.write("/boot/initramfs-virt", fakes.initramfs(fakes.OLD_RELEASE)),
        {},
        "initramfs_mismatch",
        id="initramfs of another kernel",
    ),
    pytest.param(
        lambda host: host.link("/boot/vmlinuz-virt", "vmlinuz-virt"),
        {},
        "path_unreadable",
        id="unreadable",
    ),
    pytest.param(
        lambda host: None, {"append": ("x" * 2048,)}, "cmdline_too_long", id="command line too long"
    ),
    pytest.param(
        lambda host: None, {"kernel": "/boot/../x"}, "path_invalid", id="path outside the host"
    ),
    pytest.param(lambda host: None, {"append": ("a\nb",)}, "cmdline_invalid", id="line feed"),
    pytest.param(fakes.FakeHost.lock, {}, "kexec_locked", id="locked"),
    pytest.param(fakes.FakeHost.contain, {}, "container", id="container"),
]


@pytest.mark.parametrize("check_mode", [False, True], ids=["for real", "in check mode"])
@pytest.mark.parametrize(("arrange", "wish", "code"), WRONG)
def test_load_refuses_before_anything_is_touched(
    alpine: fakes.FakeHost,
    arrange: Arrange,
    wish: dict[str, t.Any],
    code: str,
    check_mode: bool,
) -> None:
    arrange(alpine)
    before = alpine.snapshot()
    error = refused(alpine, check_mode=check_mode, **wish)
    assert error.reason.code == code
    assert error.details["stage"] == "preflight"
    assert (error.details["able"], error.details["method"]) == (False, "firmware")
    assert error.details["reasons"][0]["code"] == code
    assert alpine.snapshot() == before
    assert alpine.runner.changes == []


def test_load_refuses_with_an_obstacle_and_not_with_advice(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/initramfs-virt", b"\x02\x21\x4c\x18" + b"\0" * 60)
    alpine.write("/proc/meminfo", "MemAvailable: 1 kB\n")
    assert refused(alpine).reason.code == "memory_low"


# --- Failure of the command ----------------------------------------------------------------


def test_failed_load_tells_everything(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(fakes.KEXEC, "-a", rc=255, stderr="Cannot allocate memory\n")
    error = refused(alpine, remove=("panic",))
    assert error.reason.code == "load_failed"
    details = error.details
    assert (details["stage"], details["able"], details["method"]) == ("load", False, "firmware")
    assert (details["rc"], details["stdout"]) == (255, "")
    assert details["stderr"] == "Cannot allocate memory\n"
    assert [each["code"] for each in details["reasons"]] == ["load_failed", "panic_hangs"]
    assert details["kernel"] == "/boot/vmlinuz-virt"


def test_load_after_a_failed_load_tries_again(alpine: fakes.FakeHost) -> None:
    ensure(alpine)
    alpine.runner.on(fakes.KEXEC, "-a", rc=255)
    refused(alpine, token="abc")
    alpine.runner.on(fakes.KEXEC, "-a", effect=lambda: alpine.hold_image(True))
    result = ensure(alpine)
    assert (result["changed"], diff(result)[0]) == (True, FOREIGN)


# --- Unloading -----------------------------------------------------------------------------


def test_unload_takes_the_image_out(alpine: fakes.FakeHost) -> None:
    ensure(alpine)
    result = ensure(alpine, "unloaded")
    assert (result["changed"], result["loaded"]) == (True, False)
    assert diff(result) == (WANTED, "")
    assert alpine.runner.changes[-1] == (fakes.KEXEC, "-u")


def test_unload_again_is_no_change(alpine: fakes.FakeHost) -> None:
    result = ensure(alpine, "unloaded")
    assert (result["changed"], result["loaded"]) == (False, False)
    assert diff(result) == ("", "")
    assert alpine.runner.changes == []


def test_unload_in_check_mode_changes_nothing(alpine: fakes.FakeHost) -> None:
    ensure(alpine)
    before = alpine.snapshot()
    result = ensure(alpine, "unloaded", check_mode=True)
    assert (result["changed"], result["loaded"]) == (True, True)
    assert diff(result) == (WANTED, "")
    assert alpine.snapshot() == before
    assert len(alpine.runner.changes) == 1


def test_unload_does_not_look_at_the_options_about_the_image(alpine: fakes.FakeHost) -> None:
    def wish() -> tuple[Wish, Once]:
        raise AssertionError("nobody needs it")

    assert not ensure_module.ensure(alpine.host, "unloaded", wish, check_mode=False)["changed"]


def test_unload_works_on_a_host_whose_image_cannot_be_built(alpine: fakes.FakeHost) -> None:
    alpine.hold_image(True)
    alpine.remove("/boot/vmlinuz-virt")
    result = ensure(alpine, "unloaded")
    assert (result["changed"], result["able"]) == (True, False)


FORBIDDEN: list[t.Any] = [
    pytest.param(
        lambda host: host.runner.installed.pop("kexec"), "no_kexec_tools", id="no command"
    ),
    pytest.param(fakes.FakeHost.contain, "container", id="image of the container's host"),
    pytest.param(lambda host: host.become(1000), "not_root", id="not root"),
    pytest.param(
        fakes.FakeHost.start_leaving, "already_leaving", id="image that is about to be booted"
    ),
    pytest.param(fakes.FakeHost.relock, "kexec_relocked", id="image frozen by the sysctl"),
    pytest.param(fakes.FakeHost.boot_secure, "lockdown", id="lockdown"),
]


@pytest.mark.parametrize("check_mode", [False, True], ids=["for real", "in check mode"])
@pytest.mark.parametrize(("arrange", "code"), FORBIDDEN)
def test_unload_refuses_what_the_kernel_would_refuse(
    alpine: fakes.FakeHost, arrange: Arrange, code: str, check_mode: bool
) -> None:
    alpine.hold_image(True)
    arrange(alpine)
    error = refused(alpine, "unloaded", check_mode=check_mode)
    assert (error.reason.code, error.details["stage"]) == (code, "preflight")
    assert alpine.runner.changes == []


@pytest.mark.parametrize(("arrange", "_code"), FORBIDDEN)
def test_unload_of_an_empty_kernel_needs_no_permission(
    alpine: fakes.FakeHost, arrange: Arrange, _code: str
) -> None:
    arrange(alpine)
    assert ensure(alpine, "unloaded")["changed"] is False


def test_failed_unload_tells_everything(alpine: fakes.FakeHost) -> None:
    alpine.hold_image(True)
    alpine.runner.on(fakes.KEXEC, "-u", rc=255, stderr="Device or resource busy\n")
    error = refused(alpine, "unloaded")
    assert error.reason.code == "unload_failed"
    assert (error.details["stage"], error.details["rc"]) == ("load", 255)
    assert error.details["reasons"][0]["code"] == "unload_failed"
    assert error.details["boot_id"] == fakes.BOOT_ID

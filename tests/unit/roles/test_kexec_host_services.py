# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of kexec_host on a host that is a folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import inspect
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    BOOT_ID,
    JUMP,
    OTHER_BOOT,
    OURS,
    RUNNING,
    STATE,
    TOKEN,
    UUID,
    ServiceHost,
)

# What of the running line is not for one boot.
LASTING = "root=LABEL=root quiet"


def stop(host: ServiceHost, **variables: str) -> list[str]:
    return host.service("kexec-load", "stop", **{"RC_RUNLEVEL": "shutdown", **variables})


def loads(log: list[str]) -> list[str]:
    return [line for line in log if line.startswith("kexec -a")]


# --- kexec-load, when the system goes down -------------------------------------------------


def test_stop_loads_what_was_asked_for(host: ServiceHost) -> None:
    host.ask()
    (line,) = loads(stop(host))
    files = f"{host.root}/boot/vmlinuz-virt --initrd={host.root}/boot/initramfs-virt"
    assert line == f"kexec -a -l {files} --command-line={TOKEN} root=LABEL=root quiet"
    assert host.read(f"{OURS}/armed").strip() == UUID
    assert host.read(STATE).startswith(f"{UUID} the jump into the loaded kernel did not happen")
    assert not host.exists(f"{OURS}/intent")


@pytest.mark.parametrize(
    ("release", "noted"),
    [("6.18.56-0-virt\n", "6.18.56-0-virt"), ("", "-")],
    ids=["known release", "unknown release"],
)
def test_stop_leaves_a_note_of_the_jump(host: ServiceHost, release: str, noted: str) -> None:
    host.write("usr/share/kernel/virt/kernel.release", release)
    host.ask()
    stop(host)
    *words, epoch = host.read(JUMP).split()
    assert words == [UUID, BOOT_ID, noted]
    assert epoch.isdigit()


def test_stop_does_not_jump_again_after_a_jump_that_hung(host: ServiceHost) -> None:
    host.write(JUMP, f"{UUID} {OTHER_BOOT} - 1\n")
    host.ask()
    assert loads(stop(host)) == []
    assert not host.exists(f"{OURS}/armed")
    assert host.read(STATE).startswith("- the last boot through kexec did not come up")
    assert host.exists(JUMP)


@pytest.mark.parametrize(
    ("note", "cmdline"),
    [
        pytest.param(f"{OTHER_BOOT} {BOOT_ID} - 1\n", RUNNING, id="of this boot"),
        pytest.param(f"{UUID} {OTHER_BOOT} - 1\n", TOKEN, id="of the jump to this boot"),
    ],
)
def test_stop_jumps_where_the_note_tells_of_no_hang(
    host: ServiceHost, note: str, cmdline: str
) -> None:
    host.write(JUMP, note)
    host.write("proc/cmdline", f"{cmdline}\n")
    host.ask()
    assert len(loads(stop(host))) == 1


def test_stop_jumps_where_the_note_cannot_be_written(host: ServiceHost) -> None:
    host.write("var/.keep", "")
    (host.root / "var").chmod(0o555)
    host.ask()
    stop(host)
    assert host.exists(f"{OURS}/armed")
    (host.root / "var").chmod(0o755)


def test_verify_says_that_the_last_jump_hung(host: ServiceHost) -> None:
    host.write(JUMP, f"{UUID} {OTHER_BOOT} - 1\n")
    (line,) = host.service("kexec-load", "verify")
    assert line.startswith("eerror A reboot through kexec is not possible: the last boot through")


def test_stop_loads_nothing_unless_asked(host: ServiceHost) -> None:
    assert stop(host) == []
    assert not host.exists(f"{OURS}/armed")


def refuses_intent(host: ServiceHost) -> None:
    assert loads(stop(host)) == []
    assert not host.exists(f"{OURS}/armed")
    # It is consumed all the same.
    assert not host.exists(f"{OURS}/intent")


def test_stop_refuses_the_wish_of_another_boot(host: ServiceHost) -> None:
    host.ask(UUID)
    refuses_intent(host)


@pytest.mark.parametrize("before", [-1.0, 61.0], ids=["after the shutdown began", "long before"])
def test_stop_refuses_a_wish_of_another_time(host: ServiceHost, before: float) -> None:
    host.ask(before=before)
    refuses_intent(host)


def test_stop_tells_a_tenth_of_a_second_apart(host: ServiceHost) -> None:
    host.ask(before=-0.1)
    refuses_intent(host)


def test_stop_by_hand_loads_nothing_and_keeps_the_wish(host: ServiceHost) -> None:
    host.ask()
    log = stop(host, RC_RUNLEVEL="default")
    assert log == ["einfo Reboots go through firmware until this service is started again."]
    assert host.exists(f"{OURS}/intent")


def test_stop_leaves_a_shutdown_to_the_one_that_leads_it(host: ServiceHost) -> None:
    host.ask()
    host.write(f"{OURS}/leaving", "")
    with (host.root / OURS / "leaving").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert stop(host) == []
    assert host.exists(f"{OURS}/intent")
    # A lock that nobody holds any more is no leader.
    assert len(loads(stop(host))) == 1


def test_stop_does_not_load_while_another_run_changes_the_host(host: ServiceHost) -> None:
    host.ask()
    folder = os.open(host.root / OURS, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        log = stop(host)
    finally:
        os.close(folder)
    assert loads(log) == []
    assert log.count("sleep 1") == 29
    assert "another run changes the host" in host.read(STATE)
    # It is over.
    host.ask()
    assert len(loads(stop(host))) == 1


def test_nobody_changes_the_host_while_stop_loads(host: ServiceHost) -> None:
    host.ask()
    host.write("boot/initramfs-virt", "")
    tells = f'ebegin() {{ :; }}\neend() {{ :; }}\nload_image() {{ flock -n "$root/{OURS}" true || log held; }}'
    assert "held" in host.service("kexec-load", f"{tells}\nstop", RC_RUNLEVEL="shutdown")


def test_stop_leaves_one_reboot_to_firmware_on_request(host: ServiceHost) -> None:
    host.ask()
    host.write(f"{OURS}/no-kexec", "")
    refuses_intent(host)
    assert not host.exists(f"{OURS}/no-kexec")


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        pytest.param(
            lambda host: host.write("boot/initramfs-virt", ""),
            "/boot/initramfs-virt is missing or empty",
            id="empty initramfs",
        ),
        pytest.param(
            lambda host: (host.root / "boot/vmlinuz-virt").unlink(),
            "/boot/vmlinuz-virt is missing or empty",
            id="no kernel",
        ),
        pytest.param(
            lambda host: host.write("usr/share/kernel/virt/kernel.release", "6.18.60-0-virt\n"),
            "the modules of 6.18.60-0-virt are not installed",
            id="no modules",
        ),
        pytest.param(
            lambda host: host.write("proc/sys/kernel/kexec_load_disabled", "1\n"),
            "kexec is locked",
            id="locked",
        ),
        pytest.param(
            lambda host: host.write("kexec-fails", ""), "kexec could not load", id="load fails"
        ),
        pytest.param(
            lambda host: host.write("proc/cmdline", "x" * 2048 + "\n"),
            "and the kernel takes 2047",
            id="command line too long",
        ),
    ],
)
def test_stop_that_cannot_load_remembers_why(
    host: ServiceHost, arrange: t.Callable[[ServiceHost], object], why: str
) -> None:
    host.ask()
    arrange(host)
    stop(host)
    assert not host.exists(f"{OURS}/armed")
    assert host.read(STATE).startswith("- ")
    assert why in host.read(STATE).replace(str(host.root), "")


@pytest.mark.parametrize(
    ("machine", "size", "loaded"),
    [
        ("x86_64", 1900, True),
        ("x86_64", 3000, False),
        ("loongarch64", 3000, True),
        ("s390x", 3000, True),
        ("s390x", 4200, False),
        ("riscv64", 900, True),
        ("armv7l", 1900, False),
    ],
)
def test_stop_knows_how_long_a_command_line_may_be(
    host: ServiceHost, machine: str, size: int, loaded: bool
) -> None:
    host.ask()
    host.write("machine", f"{machine}\n")
    host.write("proc/cmdline", "x" * size + "\n")
    stop(host)
    assert host.exists(f"{OURS}/armed") is loaded


def test_stop_mounts_boot_only_for_loading(host: ServiceHost) -> None:
    host.ask()
    host.write("fstab-has-boot", "")
    steps = [line.partition(" ")[0] for line in stop(host)]
    assert [step for step in steps if step in ("mount", "kexec", "umount")] == [
        "mount",
        "kexec",
        "umount",
    ]


def test_settings_come_first(host: ServiceHost) -> None:
    host.ask()
    for name in ("k", "i"):
        host.write(f"boot/{name}", name)
    paths = {name: f"{host.root}/boot/{name}" for name in ("k", "i")}
    stop(host, kexec_kernel=paths["k"], kexec_initramfs=paths["i"], kexec_cmdline="a b")
    assert loads(host.log()) == [
        f"kexec -a -l {paths['k']} --initrd={paths['i']} --command-line={TOKEN} a b"
    ]


@pytest.mark.parametrize("cmdline", [" ", "\n", "a", " a  b ", 'a="b  c" -- d', "a\\b"])
def test_any_line_that_was_locked_is_used(host: ServiceHost, cmdline: str) -> None:
    start(host, kexec_lock_after_load="YES", kexec_cmdline=cmdline)
    host.ask()
    stop(host, kexec_lock_after_load="YES", kexec_cmdline=cmdline)
    assert host.exists(f"{OURS}/armed")


@pytest.mark.parametrize("cmdline", ["a b\n", "a\nb", "a b\n\n"])
def test_line_breaks_in_settings_are_spaces(host: ServiceHost, cmdline: str) -> None:
    start(host, kexec_lock_after_load="YES", kexec_cmdline=cmdline)
    (loaded,) = loads(host.log())
    assert loaded.partition("--command-line=")[2].split() == [TOKEN, "a", "b"]
    host.ask()
    # The image is the one that was loaded before the lock, and nothing about it has changed.
    stop(host, kexec_lock_after_load="YES", kexec_cmdline=cmdline)
    assert host.exists(f"{OURS}/armed")


@pytest.mark.parametrize(
    ("running", "inherited"),
    [
        pytest.param("a  b\tc", "a b c", id="white space"),
        pytest.param('x="a b" quiet', 'x="a b" quiet', id="space in a value"),
        pytest.param('"x=a  b" quiet', '"x=a  b" quiet', id="quotes around a parameter"),
        pytest.param("a initrd=i -- BOOT_IMAGE=k init", "a -- init", id="words for init"),
        pytest.param(
            "alpinefleet_kexec.token=old a alpinefleet-kexec.token=old", "a", id="own tokens"
        ),
        pytest.param(
            "alpinefleet_kexec.confirm=60 a alpinefleet_kexec.watchdog=wdt,60 "
            "alpinefleet_kexec.confirms=1",
            "a alpinefleet_kexec.confirms=1",
            id="what a boot is asked for",
        ),
        pytest.param(
            "panic=1 alpinefleet_kexec.added=panic=10,oops=panic panic=10 oops=panic -- panic=10",
            "panic=1 -- panic=10",
            id="added for one boot",
        ),
        pytest.param("oops=panic b alpinefleet-kexec.added=oops=panic", "b", id="added before"),
        pytest.param(
            'alpinefleet_kexec.added="x" a=1 b=2 c "alpinefleet_kexec.added=a=1,b=2"',
            "c",
            id="added, quoted",
        ),
        pytest.param("a b alpinefleet_kexec.added", "a b", id="added, no value"),
        pytest.param("a b alpinefleet_kexec.added=,.*,", "a b", id="added, no words"),
        pytest.param("initrdx=1 noinitrd panic=1", "initrdx=1 noinitrd panic=1", id="prefixes"),
        pytest.param(r"a=\$HOME $(id) `id` %s *", r"a=\$HOME $(id) `id` %s *", id="shell"),
    ],
)
def test_running_command_line_is_inherited(host: ServiceHost, running: str, inherited: str) -> None:
    host.ask()
    host.write("proc/cmdline", f"{running}\n")
    (line,) = loads(stop(host))
    assert line.partition("--command-line=")[2] == f"{TOKEN} {inherited}"


def test_stop_without_the_command_remembers_why(host: ServiceHost) -> None:
    host.ask()
    host.service("kexec-load", "command() { return 1; }\nstop", RC_RUNLEVEL="shutdown")
    assert not host.exists(f"{OURS}/armed")
    assert "install the package kexec-tools" in host.read(STATE)


def test_verify_tells_what_a_reboot_would_start(host: ServiceHost) -> None:
    log = host.service("kexec-load", "verify")
    assert [line.replace(str(host.root), "") for line in log] == [
        "einfo kernel: /boot/vmlinuz-virt",
        "einfo initramfs: /boot/initramfs-virt",
        f"einfo command line: {TOKEN} root=LABEL=root quiet",
    ]


def test_verify_says_what_is_missing(host: ServiceHost) -> None:
    host.write("boot/vmlinuz-virt", "")
    (line,) = host.service("kexec-load", "verify")
    assert line.startswith("eerror A reboot through kexec is not possible:")
    assert "vmlinuz-virt is missing or empty" in line


@pytest.mark.parametrize(
    ("name", "order"),
    [
        pytest.param("kexec-load", "need localmount", id="loads while there are file systems"),
        pytest.param("kexec-exec", "after killprocs savecache mount-ro", id="jumps last"),
        pytest.param(
            "kexec-confirm",
            "before mdev mdevd udev udev-trigger hwdrivers modules",
            id="feeds before drivers are loaded",
        ),
    ],
)
def test_service_has_its_place_in_the_order(host: ServiceHost, name: str, order: str) -> None:
    assert order in host.service(name, "depend")


# --- kexec-load, when the system comes up --------------------------------------------------


def start(host: ServiceHost, **variables: str) -> list[str]:
    return host.service("kexec-load", "start", **variables)


def test_start_loads_nothing(host: ServiceHost) -> None:
    assert start(host) == []


@pytest.mark.parametrize(
    ("cmdline", "said"),
    [
        pytest.param(f"quiet {TOKEN}", "einfo This boot came through kexec.", id="kexec"),
        pytest.param(
            RUNNING,
            "ewarn The last reboot was to go through kexec and went through firmware: it hung.",
            id="firmware",
        ),
    ],
)
def test_start_tells_of_the_last_reboot_once(host: ServiceHost, cmdline: str, said: str) -> None:
    host.write(STATE, f"{UUID} it hung.\n")
    host.write("proc/cmdline", f"{cmdline}\n")
    assert start(host) == [said]
    assert start(host) == [said]


@pytest.mark.parametrize(
    ("cmdline", "watched", "stays"),
    [
        pytest.param(TOKEN, False, False, id="proven"),
        pytest.param(TOKEN, True, True, id="still to be confirmed"),
        pytest.param(RUNNING, False, True, id="hung"),
    ],
)
def test_start_removes_the_note_of_a_jump_that_is_proven(
    host: ServiceHost, cmdline: str, watched: bool, stays: bool
) -> None:
    host.write(JUMP, f"{UUID} {OTHER_BOOT} - 1\n")
    host.write("proc/cmdline", f"{cmdline}\n")
    if watched:
        host.write(f"{OURS}/confirm.pid", "1\n")
    start(host)
    assert host.exists(JUMP) is stays


def test_start_loads_and_locks_where_that_is_set(host: ServiceHost) -> None:
    assert len(loads(start(host, kexec_lock_after_load="YES"))) == 1
    assert host.read("proc/sys/kernel/kexec_load_disabled") == "1\n"
    lines = host.read(f"{OURS}/frozen").splitlines()
    assert lines[:2] == [UUID, f"{TOKEN} root=LABEL=root quiet"]
    assert lines[2] == f"{hashlib.sha256(b'kernel').hexdigest()}  {host.root}/boot/vmlinuz-virt"


def test_start_again_leaves_what_is_locked(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    assert len(loads(start(host, kexec_lock_after_load="YES"))) == 1


def test_stop_uses_what_was_locked(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    host.write("proc/sys/kernel/random/uuid", f"{BOOT_ID}\n")
    host.ask()
    assert len(loads(stop(host))) == 1
    assert host.read(f"{OURS}/armed").strip() == UUID


def test_stop_does_not_use_what_was_locked_and_then_replaced(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    host.write("boot/vmlinuz-virt", "upgraded")
    host.ask()
    stop(host)
    assert not host.exists(f"{OURS}/armed")
    assert "changed after the image was loaded" in host.read(STATE)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        pytest.param({"kexec_cmdline": "single"}, "the command line was set", id="another line"),
        pytest.param(
            {"kexec_cmdline": f"{LASTING} ro"}, "the command line was set", id="a word more"
        ),
        pytest.param({"kexec_cmdline": LASTING[:-6]}, "the command line was set", id="a word less"),
        pytest.param(
            {"kexec_kernel": "boot/vmlinuz-virt", "kexec_initramfs": "boot/vmlinuz-virt"},
            "changed after",
            id="another file",
        ),
    ],
)
def test_what_was_locked_is_not_used_when_something_else_is_set(
    host: ServiceHost, setting: dict[str, str], why: str
) -> None:
    if "kexec_kernel" in setting:
        setting = {name: f"{host.root}/{path}" for name, path in setting.items()}
    start(host, kexec_lock_after_load="YES")
    *_started, verified = host.service("kexec-load", "verify", **setting)
    assert verified.startswith("eerror")
    assert why in verified
    host.ask()
    stop(host, **setting)
    assert not host.exists(f"{OURS}/armed")
    assert why in host.read(STATE)


def test_verify_tells_of_what_was_locked(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    host.write("proc/sys/kernel/random/uuid", f"{BOOT_ID}\n")
    *_more, line = host.service("kexec-load", "verify", kexec_cmdline=LASTING)
    assert line == f"einfo command line: {TOKEN} {LASTING}"


@pytest.mark.parametrize("place", ["image.json", "frozen"])
@pytest.mark.parametrize("lock", ["YES", "NO"])
def test_note_of_another_image_goes_when_one_is_loaded(
    host: ServiceHost, place: str, lock: str
) -> None:
    host.write(f"{OURS}/{place}", "of another one")
    if lock == "YES":
        start(host, kexec_lock_after_load="YES")
    else:
        host.ask()
        stop(host)
    assert len(loads(host.log())) == 1
    assert host.exists(f"{OURS}/frozen") is (lock == "YES")
    assert not host.exists(f"{OURS}/image.json")


def test_note_of_another_image_goes_before_a_load_that_fails(host: ServiceHost) -> None:
    host.write(f"{OURS}/image.json", "of another one")
    host.write("kexec-fails", "")
    host.ask()
    stop(host)
    assert not host.exists(f"{OURS}/image.json")


def test_note_of_an_image_stays_where_nothing_is_loaded(host: ServiceHost) -> None:
    host.write(f"{OURS}/image.json", "of this one")
    host.write("proc/sys/kernel/kexec_load_disabled", "1\n")
    host.ask()
    stop(host)
    assert host.exists(f"{OURS}/image.json")


def test_image_is_not_called_locked_where_the_lock_could_not_be_set(host: ServiceHost) -> None:
    (host.root / "proc/sys/kernel/kexec_load_disabled").chmod(0o444)
    start(host, kexec_lock_after_load="YES")
    assert not host.exists(f"{OURS}/frozen")


def test_start_that_cannot_note_what_it_loaded_does_not_lock(host: ServiceHost) -> None:
    (host.root / f"{OURS}/frozen.new").mkdir()
    assert start(host, kexec_lock_after_load="YES")[-1].replace(str(host.root), "") == (
        f"ewarn No image is loaded: /{OURS} cannot be written to."
    )
    assert host.read("proc/sys/kernel/kexec_load_disabled") == "0\n"


def test_start_that_cannot_lock_says_why(host: ServiceHost) -> None:
    (host.root / "proc/sys/kernel/kexec_load_disabled").chmod(0o444)
    assert start(host, kexec_lock_after_load="YES")[-1] == (
        "ewarn No image is loaded: the lock could not be set."
    )


def test_start_on_a_locked_kernel_warns(host: ServiceHost) -> None:
    host.write("proc/sys/kernel/kexec_load_disabled", "1\n")
    (line,) = start(host)
    assert line.startswith("ewarn kexec is locked")


# --- kexec-load, and what belongs to a kernel ----------------------------------------------


def install(host: ServiceHost, folder: str, name: str, release: str = "") -> str:
    """A kernel, which says its release if there is one, with its initramfs; return its path."""
    content = fakes.bzimage(release) if release else fakes.arm64_image()
    host.write(f"{folder}/vmlinuz-{name}", "")
    (host.root / folder / f"vmlinuz-{name}").write_bytes(content)
    host.write(f"{folder}/initramfs-{name}", "initramfs")
    host.write(f"lib/modules/{release}/modules.dep", "")
    return f"{host.root}/{folder}/vmlinuz-{name}"


@pytest.mark.parametrize(
    ("folder", "name", "more"),
    [
        pytest.param("boot", "lts", {}, id="of another flavour"),
        pytest.param("boot", "lts", {"kexec_flavour": "virt"}, id="beside another setting"),
        pytest.param("boot/old", "virt", {}, id="elsewhere"),
        pytest.param("srv", "6.18.60-own", {}, id="of no package"),
    ],
)
def test_kernel_starts_with_its_own_initramfs(
    host: ServiceHost, folder: str, name: str, more: dict[str, str]
) -> None:
    kernel = install(host, folder, name, "6.18.60-own")
    host.ask()
    (line,) = loads(stop(host, kexec_kernel=kernel, **more))
    files = f"{kernel} --initrd={host.root}/{folder}/initramfs-{name}"
    assert line.startswith(f"kexec -a -l {files} --command-line=")
    assert host.read(JUMP).split()[2] == "6.18.60-own"


@pytest.mark.parametrize(
    ("arrange", "name", "why"),
    [
        pytest.param(
            lambda host: (host.root / "boot/initramfs-lts").unlink(),
            "vmlinuz-lts",
            "/boot/initramfs-lts is missing or empty",
            id="none beside it",
        ),
        pytest.param(
            lambda host: (host.root / "boot/vmlinuz-lts").rename(host.root / "boot/bzImage"),
            "bzImage",
            "the name of /boot/bzImage does not tell its initramfs",
            id="another name",
        ),
        pytest.param(
            lambda host: (host.root / "boot/vmlinuz-lts").rename(host.root / "boot/vmlinuz-"),
            "vmlinuz-",
            "the name of /boot/vmlinuz- does not tell its initramfs",
            id="no flavour",
        ),
        pytest.param(
            lambda host: shutil.rmtree(host.root / "lib/modules/6.18.60-lts"),
            "vmlinuz-lts",
            "the modules of 6.18.60-lts are not installed",
            id="no modules",
        ),
    ],
)
def test_kernel_without_what_belongs_to_it_is_refused(
    host: ServiceHost, arrange: t.Callable[[ServiceHost], object], name: str, why: str
) -> None:
    install(host, "boot", "lts", "6.18.60-lts")
    host.write("usr/share/kernel/lts/kernel.release", "6.18.60-lts\n")
    arrange(host)
    host.ask()
    kernel = f"{host.root}/boot/{name}"
    assert loads(stop(host, kexec_kernel=kernel)) == []
    assert why in host.read(STATE).replace(str(host.root), "")
    *_stopped, verified = host.service("kexec-load", "verify", kexec_kernel=kernel)
    assert why in verified.replace(str(host.root), "")


@pytest.mark.parametrize(
    ("written", "packaged", "release"),
    [
        pytest.param("6.18.60-0-lts", "6.18.56-0-lts", "6.18.60-0-lts", id="the file's own"),
        pytest.param("6.18.60-0-lts", "", "6.18.60-0-lts", id="no package"),
        pytest.param("", "6.18.56-0-lts", "6.18.56-0-lts", id="not in the file"),
        pytest.param("../../etc", "6.18.56-0-lts", "6.18.56-0-lts", id="no release in the file"),
        pytest.param("", "", "", id="unknown"),
    ],
)
def test_release_of_a_kernel(host: ServiceHost, written: str, packaged: str, release: str) -> None:
    kernel = install(host, "boot", "lts", written)
    host.write("usr/share/kernel/lts/kernel.release", packaged)
    host.service("kexec-load", f'flavour=lts; log "$(release_of {kernel})"')
    assert host.log() == [release]
    parsed = inspect.parse_kernel((host.root / "boot/vmlinuz-lts").read_bytes())
    assert parsed is not None
    assert (parsed.release or packaged) == release


# --- kexec-exec ----------------------------------------------------------------------------


def execute(host: ServiceHost) -> list[str]:
    return host.service("kexec-exec", "start")


def test_exec_does_nothing_unless_armed(host: ServiceHost) -> None:
    host.write("sys/kernel/kexec_loaded", "1\n")
    assert execute(host) == []


def test_exec_jumps_once(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    assert "kexec -e -x -y" in execute(host)
    assert not host.exists(f"{OURS}/armed")


def test_exec_that_fails_remembers_why(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    host.write(STATE, f"{UUID} nothing\n")
    host.write(JUMP, f"{UUID} {BOOT_ID} - 1\n")
    log = execute(host)
    assert host.read(STATE) == "- kexec -e failed: kexec -e is refused.\n"
    # Nothing hung.
    assert not host.exists(JUMP)
    assert [line for line in log if line.startswith("mount")] == [
        "mount -o remount,rw /",
        "mount -o remount,ro /",
    ]


@pytest.mark.parametrize(
    ("late", "steps"),
    [
        pytest.param("", ["mount -t ext4 -o rw,noatime /dev/vdb {var}", "umount {var}"], id="gone"),
        pytest.param(
            "/dev/vdb {var} ext4 ro,noatime 0 0\n",
            ["mount -o remount,rw {var}", "mount -o remount,ro {var}"],
            id="read-only",
        ),
        pytest.param("tmpfs {var} tmpfs rw 0 0\n", [], id="in memory"),
    ],
)
def test_exec_that_fails_remembers_why_on_a_file_system_of_the_notes(
    host: ServiceHost, late: str, steps: list[str]
) -> None:
    var = host.root / "var"
    arm_on(host, f"/dev/vdb {var} ext4 rw,noatime 0 0\n")
    host.write("proc/mounts", f"/dev/vda1 / ext4 ro 0 0\n{late.format(var=var)}")
    log = execute(host)
    assert host.read(STATE) == "- kexec -e failed: kexec -e is refused.\n"
    assert not host.exists(JUMP)
    assert [line for line in log if "mount" in line.partition(" ")[0]] == [
        step.format(var=var) for step in steps
    ]


def arm_on(host: ServiceHost, mounts: str) -> None:
    """A shutdown loads an image, and notes the jump on a file system that is mounted then."""
    host.write("proc/mounts", f"/dev/vda1 / ext4 rw 0 0\n{mounts}")
    host.ask()
    stop(host)
    (host.root / "log").unlink()
    assert host.exists(JUMP)
    assert host.exists(f"{OURS}/armed")


@pytest.mark.parametrize("command", ["mount", "sync"])
def test_exec_that_fails_does_not_wait_for_dead_storage(host: ServiceHost, command: str) -> None:
    arm_on(host, f"/dev/vdb {host.root}/var ext4 rw 0 0\n")
    host.write("proc/mounts", "/dev/vda1 / ext4 ro 0 0\n")
    host.write(f"{command}-hangs", "")
    log = execute(host)
    assert "kexec -e -x -y" in log
    # What hangs is ended, and the shutdown goes on.
    assert "kill -KILL" in log


def test_stop_that_cannot_arm_says_so_and_has_not_jumped(host: ServiceHost) -> None:
    host.ask()
    (host.root / f"{OURS}/armed.new").mkdir()
    stop(host)
    assert not host.exists(f"{OURS}/armed")
    assert not host.exists(JUMP)
    assert "cannot be written to" in host.read(STATE)


def test_exec_that_fails_keeps_the_note_of_another_jump(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    host.write(JUMP, f"{OTHER_BOOT} {BOOT_ID} - 1\n")
    execute(host)
    assert host.exists(JUMP)


def test_exec_does_not_jump_from_what_is_writable(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    host.write(STATE, f"{UUID} nothing\n")
    host.write("proc/mounts", "/dev/vda1 / ext4 ro 0 0\n/dev/vdb1 /srv ext4 rw,noatime 0 0\n")
    log = execute(host)
    assert not any(line.startswith("kexec") for line in log)
    assert host.read("proc/sysrq-trigger") == "u"
    assert host.read(STATE) == "- /srv could not be made read-only.\n"


# --- kexec-reboot --------------------------------------------------------------------------


def test_reboot_leaves_the_wish_for_this_boot(host: ServiceHost) -> None:
    assert host.script("kexec-reboot") == 0
    assert host.read(f"{OURS}/intent").strip() == BOOT_ID
    assert (host.root / OURS / "intent").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["intent", "intent.new", "armed", "no-kexec"])
def test_reboot_does_not_wait_at_a_pipe(host: ServiceHost, place: str) -> None:
    os.mkfifo(host.root / OURS / place)
    assert host.script("kexec-reboot") == 0
    assert host.read(f"{OURS}/intent").strip() == BOOT_ID


@pytest.mark.parametrize(
    "arguments",
    [("-f",), ("-nf",), ("-d",), ("--help",), ("now",), ("-d", "1", "-f")],
    ids=" ".join,
)
def test_reboot_leaves_what_it_does_not_know_to_busybox(
    host: ServiceHost, arguments: tuple[str, ...]
) -> None:
    host.script("kexec-reboot", *arguments)
    assert not host.exists(f"{OURS}/intent")


def test_reboot_waits_before_it_leaves_the_wish(host: ServiceHost) -> None:
    host.script("kexec-reboot", "-d", "7")
    assert host.log() == ["sleep 7"]
    assert host.exists(f"{OURS}/intent")


def test_reboot_that_fails_takes_the_wish_back(host: ServiceHost) -> None:
    host.write("reboot-status", "5")
    assert host.script("kexec-reboot") == 5
    assert not host.exists(f"{OURS}/intent")


@pytest.mark.parametrize("change", ["rc.stopping", "rc.starting"])
def test_reboot_while_services_stop_or_start_is_no_wish(host: ServiceHost, change: str) -> None:
    # What shuts the system down in the end may be a poweroff.
    host.write(f"run/openrc/{change}", "")
    assert host.script("kexec-reboot") == 0
    assert not host.exists(f"{OURS}/intent")


def test_reboot_when_init_has_been_asked_for_an_end_already_is_no_wish(host: ServiceHost) -> None:
    host.write("init-ends", "")
    assert host.script("kexec-reboot") == 0
    assert not host.exists(f"{OURS}/intent")


@pytest.mark.parametrize("level", ["", "sysinit", "boot", "shutdown"])
def test_reboot_between_two_runlevels_of_a_boot_is_no_wish(host: ServiceHost, level: str) -> None:
    host.write("run/openrc/softlevel", f"{level}\n")
    assert host.script("kexec-reboot") == 0
    assert not host.exists(f"{OURS}/intent")


def test_reboot_where_openrc_does_not_say_its_runlevel_is_no_wish(host: ServiceHost) -> None:
    (host.root / "run/openrc/softlevel").unlink()
    assert host.script("kexec-reboot") == 0
    assert not host.exists(f"{OURS}/intent")


def test_reboot_without_a_place_for_the_wish_reboots(host: ServiceHost) -> None:
    shutil.rmtree(host.root / OURS)
    host.write(OURS, "a file")
    assert host.script("kexec-reboot") == 0

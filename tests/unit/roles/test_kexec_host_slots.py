# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kexec-load on a host with slots: it loads the one that firmware boots, or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    JUMP,
    OURS,
    RUNNING,
    STATE,
    TOKEN,
    ServiceHost,
)

GOOD = "6.18.50-0-virt-0123456789ab"
NEXT = "6.18.56-0-virt-ba9876543210"
RELEASE = "6.18.50-0-virt"
SLOTS = "boot/alpinefleet-kexec"
NOTE = f"{SLOTS}/good"
MENU = "boot/extlinux.conf"
CMDLINE = 'root=UUID=1-2 modules=ext4 dyndbg="a  b" quiet'


def put_slot(host: ServiceHost, slot: str) -> None:
    for name in ("linux", "initrd", "manifest"):
        host.write(f"{SLOTS}/{slot}/{name}", f"{name} of {slot}")


def note_of(host: ServiceHost, slot: str = GOOD, cmdline: str = CMDLINE) -> str:
    """What is written after the menu was."""
    digest = hashlib.sha256((host.root / MENU).read_bytes()).hexdigest()
    return f"{slot}\n{host.root}/{MENU}\n{digest}\n{cmdline}\n"


@pytest.fixture
def slotted(host: ServiceHost) -> ServiceHost:
    """A host on which firmware boots one of two slots, and apk has another kernel."""
    for slot in (GOOD, NEXT):
        put_slot(host, slot)
    host.write(f"lib/alpinefleet-kexec/{GOOD}/modules.dep", "")
    host.write(MENU, f"LABEL alpinefleet-kexec-{GOOD}\nMENU DEFAULT\nLABEL {NEXT}\n")
    host.write(NOTE, note_of(host))
    return host


def stop(host: ServiceHost, **settings: str) -> list[str]:
    """A reboot that asked for kexec; return what was loaded, with paths as on a host."""
    host.ask()
    log = host.service("kexec-load", "stop", RC_RUNLEVEL="shutdown", **settings)
    return [line.replace(str(host.root), "") for line in log if line.startswith("kexec -a")]


def why(host: ServiceHost) -> str:
    return host.read(STATE).replace(str(host.root), "")


LOADS = f"kexec -a -l /{SLOTS}/{GOOD}/linux --initrd=/{SLOTS}/{GOOD}/initrd --command-line={TOKEN}"


@pytest.mark.parametrize(
    "running", [RUNNING, f"root=b alpinefleet_kexec.slot={NEXT} alpinefleet_kexec.trial=r"]
)
def test_what_firmware_boots_is_loaded_with_its_own_line(
    slotted: ServiceHost, running: str
) -> None:
    slotted.write("proc/cmdline", f"{running}\n")
    assert stop(slotted) == [f"{LOADS} alpinefleet_kexec.slot={GOOD} {CMDLINE}"]
    assert slotted.read(JUMP).split()[2] == RELEASE
    assert slotted.exists(f"{OURS}/armed")


@pytest.mark.parametrize("cmdline", ["", "a=\\b $(id) * -- single"])
def test_line_of_a_slot_is_taken_as_it_stands(slotted: ServiceHost, cmdline: str) -> None:
    slotted.write(NOTE, note_of(slotted, cmdline=cmdline))
    assert stop(slotted) == [f"{LOADS} alpinefleet_kexec.slot={GOOD} {cmdline}"]


def test_line_that_is_set_by_hand_comes_first(slotted: ServiceHost) -> None:
    assert stop(slotted, kexec_cmdline="root=c") == [
        f"{LOADS} alpinefleet_kexec.slot={GOOD} root=c"
    ]


def test_slot_is_followed_when_another_one_is_made_the_default(slotted: ServiceHost) -> None:
    slotted.write(MENU, f"LABEL alpinefleet-kexec-{NEXT}\nMENU DEFAULT\nLABEL {GOOD}\n")
    slotted.write(NOTE, note_of(slotted, NEXT))
    (line,) = stop(slotted)
    assert f"/{SLOTS}/{NEXT}/linux" in line


@pytest.mark.parametrize(
    "place", [f"lib/modules/{RELEASE}", f"lib/alpinefleet-kexec/{GOOD}"], ids=["apk", "slot"]
)
def test_modules_are_there_or_given_back(slotted: ServiceHost, place: str) -> None:
    shutil.rmtree(slotted.root / f"lib/alpinefleet-kexec/{GOOD}")
    slotted.write(f"{place}/modules.dep", "")
    assert len(stop(slotted)) == 1


def test_kernel_that_is_set_by_hand_starts_with_its_own_initramfs(slotted: ServiceHost) -> None:
    (line,) = stop(slotted, kexec_kernel=f"{slotted.root}/boot/vmlinuz-virt")
    files = "/boot/vmlinuz-virt --initrd=/boot/initramfs-virt"
    assert line == f"kexec -a -l {files} --command-line={TOKEN} root=LABEL=root quiet"


@pytest.mark.parametrize("flavour", ["", "virt"])
def test_flavour_of_the_slot_is_no_other(slotted: ServiceHost, flavour: str) -> None:
    assert len(stop(slotted, kexec_flavour=flavour)) == 1


def removed(name: str) -> t.Callable[[ServiceHost], object]:
    return lambda host: (host.root / name).unlink()


def cut(lines: int, end: str = "\n") -> t.Callable[[ServiceHost], object]:
    def arrange(host: ServiceHost) -> None:
        host.write(NOTE, "\n".join(note_of(host).splitlines()[:lines]) + end)

    return arrange


def replaced(name: str, text: str) -> t.Callable[[ServiceHost], object]:
    return lambda host: host.write(name, text)


def pipe(host: ServiceHost) -> None:
    (host.root / NOTE).unlink()
    os.mkfifo(host.root / NOTE)


def leads_nowhere(host: ServiceHost) -> None:
    shutil.rmtree(host.root / SLOTS)
    (host.root / SLOTS).mkdir()
    (host.root / NOTE).symlink_to("nothing")


def renamed(host: ServiceHost) -> None:
    host.write(NOTE, note_of(host, "6.18.50-0-virt-aaaaaaaaaaaa"))


NO_NOTE = f"this host has slots, and /{NOTE} does not tell which one firmware boots"
NO_MENU = f"/{MENU} was changed or removed after the slot {GOOD} was made its default"


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        pytest.param(removed(NOTE), NO_NOTE, id="no note"),
        pytest.param(pipe, NO_NOTE, id="a pipe for a note"),
        pytest.param(leads_nowhere, NO_NOTE, id="a link for a note"),
        pytest.param(replaced(NOTE, ""), NO_NOTE, id="an empty note"),
        pytest.param(cut(1), NO_NOTE, id="a name alone"),
        pytest.param(cut(3), NO_NOTE, id="no line"),
        pytest.param(cut(4, ""), NO_NOTE, id="a line that may be cut"),
        pytest.param(replaced(NOTE, "../x\nb\nc\nd\n"), NO_NOTE, id="no name of a slot"),
        pytest.param(replaced(MENU, "DEFAULT virt\n"), NO_MENU, id="another menu"),
        pytest.param(removed(MENU), NO_MENU, id="no menu"),
        pytest.param(renamed, "was made its default", id="a slot that the menu does not name"),
        pytest.param(
            removed(f"{SLOTS}/{GOOD}/linux"),
            f"/{SLOTS}/{GOOD}/linux is missing or empty; run the module",
            id="no kernel",
        ),
        pytest.param(
            replaced(f"{SLOTS}/{GOOD}/initrd", ""),
            f"/{SLOTS}/{GOOD}/initrd is missing or empty; run the module",
            id="an empty initramfs",
        ),
        pytest.param(
            removed(f"lib/alpinefleet-kexec/{GOOD}/modules.dep"),
            f"the modules of {RELEASE} are not installed",
            id="no modules",
        ),
    ],
)
def test_what_does_not_agree_is_left_to_firmware(
    slotted: ServiceHost, arrange: t.Callable[[ServiceHost], object], reason: str
) -> None:
    arrange(slotted)
    assert stop(slotted) == []
    assert not slotted.exists(f"{OURS}/armed")
    assert reason in why(slotted)
    *_stopped, verified = slotted.service("kexec-load", "verify")
    assert verified.startswith("eerror A reboot through kexec is not possible: ")
    assert reason in verified.replace(str(slotted.root), "")


@pytest.mark.parametrize("settings", [{}, {"kexec_flavour": "virt"}])
def test_initramfs_without_its_kernel_is_refused(
    slotted: ServiceHost, settings: dict[str, str]
) -> None:
    initramfs = f"{slotted.root}/boot/initramfs-virt"
    assert stop(slotted, kexec_initramfs=initramfs, **settings) == []
    assert "kexec_initramfs is set, and no kernel that it belongs to" in why(slotted)
    shutil.rmtree(slotted.root / SLOTS)
    assert stop(slotted, kexec_initramfs=initramfs, **settings) == []


def test_another_flavour_is_refused(slotted: ServiceHost) -> None:
    assert stop(slotted, kexec_flavour="lts") == []
    assert f"firmware boots the slot {GOOD}, and kexec_flavour is lts" in why(slotted)


@pytest.mark.parametrize("left", [(), (".draft-x",), (f".draft-{NEXT}", "lost+found")])
def test_host_without_slots_loads_what_apk_has(host: ServiceHost, left: tuple[str, ...]) -> None:
    (host.root / SLOTS).mkdir()
    for name in left:
        (host.root / SLOTS / name).mkdir()
    (line,) = stop(host)
    assert "/boot/vmlinuz-virt" in line


def test_slots_on_a_file_system_that_is_not_mounted_are_looked_at_there(
    slotted: ServiceHost,
) -> None:
    slotted.write("fstab-has-boot", "")
    (slotted.root / SLOTS).rename(slotted.root / "unseen")
    mounts = (
        'mount() { : >"$root/boot-is-mounted"; mv "$root/unseen" "$root/boot/alpinefleet-kexec"; }'
    )
    slotted.ask()
    log = slotted.service("kexec-load", f"{mounts}\nstop", RC_RUNLEVEL="shutdown")
    (line,) = [each for each in log if each.startswith("kexec -a")]
    assert f"/{SLOTS}/{GOOD}/linux" in line


def test_verify_tells_of_the_slot(slotted: ServiceHost) -> None:
    log = slotted.service("kexec-load", "verify")
    assert log[0] == f"einfo slot: {GOOD}"
    assert log[-1] == f"einfo command line: {TOKEN} alpinefleet_kexec.slot={GOOD} {CMDLINE}"


def start(host: ServiceHost) -> list[str]:
    return host.service("kexec-load", "start", kexec_lock_after_load="YES")


def test_slot_that_was_locked_is_used(slotted: ServiceHost) -> None:
    start(slotted)
    assert slotted.read("proc/sys/kernel/kexec_load_disabled") == "1\n"
    slotted.ask()
    slotted.service("kexec-load", "stop", RC_RUNLEVEL="shutdown", kexec_lock_after_load="YES")
    assert slotted.exists(f"{OURS}/armed")


def test_slot_that_was_locked_is_not_used_once_firmware_boots_another(slotted: ServiceHost) -> None:
    start(slotted)
    slotted.write(MENU, f"LABEL {NEXT}\n")
    slotted.write(NOTE, note_of(slotted, NEXT))
    slotted.ask()
    slotted.service("kexec-load", "stop", RC_RUNLEVEL="shutdown", kexec_lock_after_load="YES")
    assert not slotted.exists(f"{OURS}/armed")
    assert "after the image was loaded and kexec was locked" in why(slotted)

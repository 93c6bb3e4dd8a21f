# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services that give a kernel its modules back, on a host that is a folder."""

from __future__ import annotations

import os
import shutil
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import entry
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    OURS,
    PROGRAMS,
    RUNNING,
    ServiceHost,
)

PROGRAM = PROGRAMS["kexec-modules"]
RELEASE = "6.18.56-0-virt"
SLOT = f"{RELEASE}-0123456789ab"
OTHER = f"{RELEASE}-ba9876543210"
NAMED = f"{RUNNING} alpinefleet_kexec.slot={SLOT}\n"
MODULES = {"kernel/fs/ext4.ko.gz": "ext4", "kernel/net/nf.ko.gz": "nf"}
DEP = "".join(f"{name}:\n" for name in MODULES)
PLACE = f"lib/modules/{RELEASE}"
PARKED = f"lib/alpinefleet-kexec/{SLOT}"
MARK = ".alpinefleet-kexec"


def put_modules(host: ServiceHost, folder: str, files: t.Mapping[str, str] | None = None) -> None:
    found = MODULES if files is None else files
    for name, content in {**found, "modules.alias": "", "modules.dep": DEP}.items():
        host.write(f"{folder}/{name}", content)


@pytest.fixture
def upgraded(host: ServiceHost) -> ServiceHost:
    """A host that runs a kernel of a slot, and apk has removed its modules."""
    host.write("proc/cmdline", NAMED)
    host.write("proc/1/mountinfo", "")
    shutil.rmtree(host.root / "lib/modules")
    host.write(f"{PLACE}/initramfs-suffix", "-virt\n")
    put_modules(host, PARKED)
    return host


def install(host: ServiceHost, files: t.Mapping[str, str] | None = None) -> None:
    """What apk has installed is of the release that runs."""
    put_modules(host, PLACE, files)
    host.write("usr/share/kernel/virt/kernel.release", f"{RELEASE}\n")


def give(host: ServiceHost, how: str) -> list[str]:
    """Run the program; return what it did, with paths as on a host."""
    assert host.script("kexec-modules", how) in (0, 1)
    return [line.replace(str(host.root), "") for line in host.log()]


def told(host: ServiceHost) -> str:
    return host.read("dev/kmsg").replace(str(host.root), "")


def is_link(host: ServiceHost, name: str) -> bool:
    """Tell whether a module is the slot's own file."""
    return os.path.samefile(host.root / PLACE / name, host.root / PARKED / name)


MOUNTS = [
    f"mount -o bind /{PARKED} /{PLACE}",
    f"mount -o remount,bind,ro /{PARKED} /{PLACE}",
]

# --- In sysinit -----------------------------------------------------------------------------


def test_modules_that_were_removed_are_mounted(upgraded: ServiceHost) -> None:
    assert give(upgraded, "mount") == MOUNTS
    assert f"<6>kexec-modules: The modules of {RELEASE} are those of the slot {SLOT}." in told(
        upgraded
    )


def test_mount_that_cannot_be_read_only_is_told(upgraded: ServiceHost) -> None:
    upgraded.write("no-read-only", "")
    assert give(upgraded, "mount") == MOUNTS
    # The log of the kernel is a file here, which has the last line.
    said = upgraded.read("said").replace(str(upgraded.root), "")
    assert f"kexec-modules: What is written to /{PLACE} ends up in the slot {SLOT}." in said


@pytest.mark.parametrize("how", ["mount", "links"])
@pytest.mark.parametrize(
    "cmdline", [NAMED, RUNNING, "quiet", f"alpinefleet_kexec.slot={OTHER}"], ids=len
)
def test_nothing_to_do_does_nothing(upgraded: ServiceHost, cmdline: str, how: str) -> None:
    upgraded.write("proc/cmdline", cmdline)
    install(upgraded)
    assert give(upgraded, how) == []
    assert upgraded.read("dev/kmsg") == ""
    # The folder is to be there when apk has removed the rest.
    assert upgraded.exists(f"{PLACE}/{MARK}") is (how == "links")
    assert how == "mount" or upgraded.read(f"{PLACE}/{MARK}") == ""


@pytest.mark.parametrize("how", ["mount", "links", "", "no-such"])
def test_host_without_slots_is_left_alone(upgraded: ServiceHost, how: str) -> None:
    shutil.rmtree(upgraded.root / "lib/alpinefleet-kexec")
    assert give(upgraded, how) == []
    assert upgraded.read("dev/kmsg") == ""


def test_host_without_modules_is_left_alone(upgraded: ServiceHost) -> None:
    shutil.rmtree(upgraded.root / "lib")
    assert give(upgraded, "mount") == []


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({**MODULES, "kernel/fs/ext4.ko.gz": "of another build"}, id="another build"),
        pytest.param({"kernel/fs/ext4.ko.gz": "ext4"}, id="an upgrade that was cut"),
    ],
)
@pytest.mark.parametrize("how", ["mount", "links"])
def test_modules_that_are_not_those_of_the_slot_are_covered_and_not_changed(
    upgraded: ServiceHost, files: dict[str, str], how: str
) -> None:
    install(upgraded, files)
    assert give(upgraded, how) == MOUNTS
    assert upgraded.read(f"{PLACE}/kernel/fs/ext4.ko.gz") == files["kernel/fs/ext4.ko.gz"]


def test_modules_of_more_than_the_slot_has_are_no_others(upgraded: ServiceHost) -> None:
    install(upgraded, {**MODULES, "extra/zfs.ko.gz": "zfs"})
    assert give(upgraded, "mount") == []


def test_modules_that_no_slot_is_named_for_are_taken_for_what_they_are(
    upgraded: ServiceHost,
) -> None:
    upgraded.write("proc/cmdline", RUNNING)
    install(upgraded, {"kernel/fs/ext4.ko.gz": "of another build"})
    assert give(upgraded, "mount") == []


@pytest.mark.parametrize(
    "named",
    [
        pytest.param("", id="none"),
        pytest.param(OTHER, id="one that is gone"),
        pytest.param("6.18.60-0-virt-0123456789ab", id="one of another release"),
        pytest.param(f"../alpinefleet-kexec/{SLOT}", id="a path"),
        pytest.param("*", id="a pattern"),
    ],
)
def test_kernel_from_elsewhere_gets_the_modules_of_its_release(
    upgraded: ServiceHost, named: str
) -> None:
    upgraded.write("proc/cmdline", f"quiet alpinefleet_kexec.slot={named}\n")
    put_modules(upgraded, "lib/alpinefleet-kexec/6.18.60-0-virt-0123456789ab")
    put_modules(upgraded, f"lib/alpinefleet-kexec/.draft-{SLOT}")
    assert give(upgraded, "mount") == MOUNTS


def test_the_slot_that_runs_comes_before_others_of_its_release(upgraded: ServiceHost) -> None:
    upgraded.write("proc/cmdline", NAMED.replace(SLOT, OTHER))
    put_modules(upgraded, f"lib/alpinefleet-kexec/{OTHER}")
    assert give(upgraded, "mount")[0] == f"mount -o bind /lib/alpinefleet-kexec/{OTHER} /{PLACE}"


def test_slot_without_its_list_of_modules_is_none(upgraded: ServiceHost) -> None:
    (upgraded.root / PARKED / "modules.dep").unlink()
    assert give(upgraded, "mount") == []


def test_place_that_is_missing_and_cannot_be_made_is_told(upgraded: ServiceHost) -> None:
    shutil.rmtree(upgraded.root / PLACE)
    (upgraded.root / "lib/modules").chmod(0o555)
    assert give(upgraded, "mount") == []
    assert f"cannot be given back yet: there is no /{PLACE}." in told(upgraded)
    (upgraded.root / "lib/modules").chmod(0o755)


def test_mount_that_fails_is_told(upgraded: ServiceHost) -> None:
    upgraded.write("no-bind", "")
    assert give(upgraded, "mount") == MOUNTS[:1]
    assert f"<3>kexec-modules: The modules of {RELEASE} cannot be given back" in told(upgraded)


def test_host_that_is_merged_with_usr_has_its_modules_there(upgraded: ServiceHost) -> None:
    (upgraded.root / "usr").mkdir(exist_ok=True)
    (upgraded.root / "lib").rename(upgraded.root / "usr/lib")
    (upgraded.root / "lib").symlink_to("usr/lib")
    assert give(upgraded, "mount")[0] == f"mount -o bind /usr/{PARKED} /usr/{PLACE}"
    upgraded.write("proc/1/mountinfo", mounted(upgraded, "usr/"))
    give(upgraded, "links")
    assert is_link(upgraded, "kernel/net/nf.ko.gz")


# --- Later, and at once after an upgrade ----------------------------------------------------


def mounted(host: ServiceHost, below: str = "", slot: str = SLOT) -> str:
    """What the kernel says of the mount, beside another one."""
    tree = f"/{below}lib/alpinefleet-kexec/{slot}"
    return (
        f"21 1 8:1 / {host.root} rw - ext4 /dev/vda1 rw\n"
        f"40 21 8:1 {tree} {host.root}/{below}{PLACE} ro - ext4 /dev/vda1 rw\n"
    )


def test_modules_that_were_removed_are_linked(upgraded: ServiceHost) -> None:
    upgraded.write(f"{PARKED}/kernel-suffix", "-virt")
    upgraded.write(f"{PARKED}/modules.order", "")
    assert give(upgraded, "links") == []
    assert all(is_link(upgraded, name) for name in [*MODULES, "modules.alias", "modules.dep"])
    # mkinitfs would take it for the kernel that is installed.
    assert not {"kernel-suffix", "modules.order"} & set(os.listdir(upgraded.root / PLACE))
    assert upgraded.read(f"{PLACE}/{MARK}") == f"{SLOT}\n"
    assert f"<6>kexec-modules: The modules of {RELEASE} are links to those of the slot" in told(
        upgraded
    )


def test_links_again_change_nothing(upgraded: ServiceHost) -> None:
    give(upgraded, "links")
    upgraded.write("dev/kmsg", "")
    give(upgraded, "links")
    give(upgraded, "mount")
    assert upgraded.log() == []
    assert upgraded.read("dev/kmsg") == ""


def test_what_was_cut_is_begun_anew(upgraded: ServiceHost) -> None:
    upgraded.write(f"{PLACE}/kernel/fs/ext4.ko.gz", "cut")
    upgraded.write(f"{PLACE}/.modules.dep", "cut")
    give(upgraded, "links")
    assert is_link(upgraded, "kernel/fs/ext4.ko.gz")
    assert is_link(upgraded, "modules.dep")


def test_links_take_the_place_of_the_mount(upgraded: ServiceHost) -> None:
    upgraded.write("proc/1/mountinfo", mounted(upgraded))
    beneath = f"/{OURS}/lib"
    assert give(upgraded, "links") == [
        f"mount -o bind /lib {beneath}",
        f"umount {beneath}",
        f"umount -l /{PLACE}",
    ]
    assert is_link(upgraded, "kernel/fs/ext4.ko.gz")
    assert not upgraded.exists(f"{OURS}/lib")
    assert (upgraded.root / OURS).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", ["another build", "no folder there", "no mount"])
def test_mount_stays_where_links_cannot_be_made(upgraded: ServiceHost, cut: str) -> None:
    upgraded.write("proc/1/mountinfo", mounted(upgraded))
    if cut == "another build":
        install(upgraded, {"kernel/fs/ext4.ko.gz": "of another build"})
    elif cut == "no folder there":
        shutil.rmtree(upgraded.root / PLACE)
    else:
        upgraded.write("no-bind", "")
    assert f"umount -l /{PLACE}" not in give(upgraded, "links")
    assert f"<4>kexec-modules: The modules of {RELEASE} stay mounted from the slot" in told(
        upgraded
    )
    assert not upgraded.exists(f"{PLACE}/{MARK}")


def test_mount_of_somebody_else_is_no_mount_of_the_slot(upgraded: ServiceHost) -> None:
    upgraded.write("proc/1/mountinfo", mounted(upgraded, slot=OTHER))
    assert give(upgraded, "links") == []
    assert is_link(upgraded, "modules.dep")


def test_file_system_without_links_gets_copies(upgraded: ServiceHost) -> None:
    fails = 'cp() { case $1 in -alf) return 1 ;; esac; command cp "$@"; }\n'
    assert upgraded.code(fails + PROGRAM, "kexec-modules", "links") == 0
    assert upgraded.read(f"{PLACE}/kernel/fs/ext4.ko.gz") == "ext4"
    assert not is_link(upgraded, "kernel/fs/ext4.ko.gz")
    assert upgraded.exists(f"{PLACE}/modules.dep")


@pytest.mark.parametrize("name", ["kernel", "modules.dep"])
def test_place_that_takes_no_files_is_told_and_not_taken_for_whole(
    upgraded: ServiceHost, name: str
) -> None:
    fails = f'cp() {{ case $2 in */{name}) return 1 ;; esac; command cp "$@"; }}\n'
    assert upgraded.code(fails + PROGRAM, "kexec-modules", "links") == 1
    assert not upgraded.exists(f"{PLACE}/modules.dep")
    assert f"/{PLACE} cannot be written to." in told(upgraded)


def test_place_that_is_read_only_is_told(upgraded: ServiceHost) -> None:
    (upgraded.root / PLACE).chmod(0o555)
    assert upgraded.script("kexec-modules", "links") == 1
    assert f"/{PLACE} cannot be written to." in told(upgraded)
    (upgraded.root / PLACE).chmod(0o755)


# --- What is taken back ---------------------------------------------------------------------

OLD = "6.18.50-0-virt"


def give_to(host: ServiceHost, owner: str) -> None:
    """A kernel that was given its modules, in an earlier boot."""
    put_modules(host, f"lib/modules/{OLD}")
    host.write(f"lib/modules/{OLD}/{MARK}", owner)


@pytest.mark.parametrize("running", [True, False], ids=["with slots", "without"])
def test_modules_of_a_kernel_that_lost_its_slot_go(upgraded: ServiceHost, running: bool) -> None:
    give_to(upgraded, f"{OLD}-0123456789ab\n")
    if not running:
        shutil.rmtree(upgraded.root / "lib/alpinefleet-kexec")
    give(upgraded, "mount")
    assert upgraded.exists(f"lib/modules/{OLD}")
    give(upgraded, "links")
    assert not upgraded.exists(f"lib/modules/{OLD}")
    assert upgraded.exists(f"{PLACE}/initramfs-suffix")


def test_folder_that_was_kept_for_a_slot_goes_with_it(upgraded: ServiceHost) -> None:
    upgraded.write(f"lib/modules/{OLD}/{MARK}", "")
    upgraded.write(f"lib/modules/6.18.51-0-virt/{MARK}", "")
    upgraded.write("lib/modules/6.18.51-0-virt/initramfs-suffix", "-virt")
    give(upgraded, "links")
    assert not upgraded.exists(f"lib/modules/{OLD}")
    assert os.listdir(upgraded.root / "lib/modules/6.18.51-0-virt") == ["initramfs-suffix"]


@pytest.mark.parametrize("needs", ["a slot", "a package", "by hand", "no note"])
def test_modules_that_somebody_needs_stay(upgraded: ServiceHost, needs: str) -> None:
    give_to(upgraded, f"{OLD}-0123456789ab\n")
    if needs == "a slot":
        put_modules(upgraded, f"lib/alpinefleet-kexec/{OLD}-ba9876543210")
    elif needs == "a package":
        upgraded.write("usr/share/kernel/lts/kernel.release", f"{OLD}\n")
    elif needs == "by hand":
        upgraded.write(f"lib/modules/{OLD}/modules.order", "")
    else:
        (upgraded.root / f"lib/modules/{OLD}/{MARK}").unlink()
    give(upgraded, "links")
    assert upgraded.exists(f"lib/modules/{OLD}/kernel/fs/ext4.ko.gz")


def test_modules_of_the_kernel_that_runs_stay_without_a_slot(upgraded: ServiceHost) -> None:
    give(upgraded, "links")
    shutil.rmtree(upgraded.root / "lib/alpinefleet-kexec")
    give(upgraded, "links")
    assert upgraded.exists(f"{PLACE}/modules.dep")


# --- Names of slots -------------------------------------------------------------------------

LONG = "a" * 81
NAMES = [
    *(SLOT, OTHER, f"{LONG}-0123456789ab", "1-0123456789ab", "6.18~rc1+x_y-0-lts-abcdefabcdef"),
    *("", "-", "good", ".draft-x", "x-0123456789abc", "x-0123456789a", f"a{LONG}-0123456789ab"),
    *(
        "-0123456789ab",
        ".x-0123456789ab",
        "a..b-0123456789ab",
        "a/b-0123456789ab",
        "x-0123456789aB",
    ),
    *("a b-0123456789ab", "a*-0123456789ab", "é-0123456789ab", "x0123456789ab", "x-0123456789ab\n"),
]


@pytest.mark.parametrize("program", ["kexec-modules", "kexec-load.initd"])
def test_programs_and_modules_agree_on_what_a_slot_is_called(
    host: ServiceHost, program: str
) -> None:
    for number, name in enumerate(NAMES):
        host.write(f"names/{number:02}", name)
    asks = """for each in "$root"/names/*; do
        text=$(cat "$each"; printf x)
        if is_slot "${text%x}"; then log yes; else log no; fi
    done
    """
    host.script(program, after=asks)
    assert host.log() == ["yes" if entry.is_id(name) else "no" for name in NAMES]


# --- The services ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "function", "calls"),
    [
        ("kexec-modules", "start", "mount"),
        ("kexec-modules", "restore", "links"),
        ("kexec-modules-links", "start", "links"),
    ],
)
@pytest.mark.parametrize("status", [0, 1])
def test_service_runs_the_program_and_never_fails_a_boot(
    host: ServiceHost, service: str, function: str, calls: str, status: int
) -> None:
    host.write("sbin/kexec-modules", f'#!/bin/sh\necho "$1" >>"{host.root}/log"\nexit {status}\n')
    (host.root / "sbin/kexec-modules").chmod(0o755)
    found = host.script(f"{service}.initd", after=f"{function}\n")
    assert host.log() == [calls]
    assert found == (status if function == "restore" else 0)


@pytest.mark.parametrize(
    ("service", "order"),
    [
        ("kexec-modules", "before kexec-confirm mdev mdevd udev udev-trigger hwdrivers modules"),
        ("kexec-modules-links", "after root localmount"),
    ],
)
def test_service_has_its_place_in_the_order(host: ServiceHost, service: str, order: str) -> None:
    assert order in host.service(service, "depend")

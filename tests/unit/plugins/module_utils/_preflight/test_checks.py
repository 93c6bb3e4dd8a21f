# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each check of the preflight: what it finds on a host, and what it leaves alone."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.judge import (
    BOOT_MOUNT,
    CHECKS,
    HYPERVISOR,
    SERVICES,
    Check,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

XEN = {"/sys/hypervisor/type": "xen\n"}
FSTAB = "UUID=1 / ext4 rw 0 1\nUUID=2\t/boot\text4\t{} 0 2\n/dev/cdrom /media/cdrom iso9660 noauto 0 0\n"
MOUNTED = "/dev/vda3 / ext4 rw 0 0\n/dev/vda1 /boot ext4 rw 0 0\n"
# As the wiki of Alpine has them.
LOAD = """#!/sbin/openrc-run
stop() {
\tif ! yesno ${RC_GOINGDOWN}; then
\t\texit
\tfi
\tkexec -l "${BOOTPART}/${KERNEL}" \\
\t\t--reuse-cmdline
}
"""
EXEC = "#! /sbin/openrc-run\nstart() {\n\tkexec -e\n\treturn 0\n}\n"
OURS = "run=/run/alpinefleet-kexec\nkexec -e\n"


def service(name: str, text: str, level: str = "default") -> dict[str, str]:
    return {f"/etc/init.d/{name}": text, f"/etc/runlevels/{level}/{name}": ""}


FINDS: dict[str, tuple[Check[t.Any], dict[str, str], str | None]] = {
    "a control domain": (
        HYPERVISOR,
        {**XEN, "/proc/xen/capabilities": "control_d\n"},
        "control domain of Xen: a jump would leave Xen",
    ),
    "a paravirtualised guest": (
        HYPERVISOR,
        {**XEN, "/sys/hypervisor/guest_type": "PV\n", "/proc/xen/capabilities": "\n"},
        "paravirtualised guest of Xen",
    ),
    "another guest of Xen": (HYPERVISOR, {**XEN, "/sys/hypervisor/guest_type": "HVM\n"}, None),
    "a guest of another hypervisor": (HYPERVISOR, {"/sys/hypervisor/type": "kvm\n"}, None),
    "a machine of its own": (HYPERVISOR, {}, None),
    "a /boot that is not mounted": (
        BOOT_MOUNT,
        {"/etc/fstab": FSTAB.format("rw"), "/proc/mounts": "/dev/vda3 / ext4 rw 0 0\n"},
        "/boot is in /etc/fstab and not mounted",
    ),
    "a /boot that is mounted when it is needed": (
        BOOT_MOUNT,
        {"/etc/fstab": FSTAB.format("noauto,ro"), "/proc/mounts": ""},
        "/boot is in /etc/fstab and not mounted",
    ),
    "a /boot that is mounted": (
        BOOT_MOUNT,
        {"/etc/fstab": FSTAB.format("rw"), "/proc/mounts": MOUNTED},
        None,
    ),
    "a /boot that is written with a slash": (
        BOOT_MOUNT,
        {"/etc/fstab": "/dev/sda1 //boot/ ext4 rw 0 2\n", "/proc/mounts": MOUNTED},
        None,
    ),
    "a /boot without options": (
        BOOT_MOUNT,
        {"/etc/fstab": "/dev/sda1 /boot ext4\n", "/proc/mounts": ""},
        "/boot is in /etc/fstab and not mounted",
    ),
    "a /boot that is a part of the root": (
        BOOT_MOUNT,
        {"/etc/fstab": "UUID=1 / ext4 rw 0 1\nUUID=3 /boot/efi vfat rw 0 0\n", "/proc/mounts": ""},
        None,
    ),
    "a remark about /boot": (BOOT_MOUNT, {"/etc/fstab": "# UUID=2 /boot ext4 rw 0 2\n"}, None),
    "a service that loads at the end": (
        SERVICES,
        service("kexec-load", LOAD),
        "The services kexec-load use kexec",
    ),
    "two services": (
        SERVICES,
        {**service("kexec-load", LOAD), **service("kexec-exec", EXEC, "shutdown")},
        "The services kexec-exec, kexec-load use kexec",
    ),
    "a service of another name": (
        SERVICES,
        service("fast", "start() {\n\t/usr/sbin/kexec --force k\n}\n"),
        "The services fast use kexec",
    ),
    "a service that is in no runlevel": (SERVICES, {"/etc/init.d/kexec-load": LOAD}, None),
    "our own services": (SERVICES, service("kexec-exec", OURS, "shutdown"), None),
    "several options in one": (
        SERVICES,
        service("a", "\tkexec -le k\n"),
        "The services a use kexec",
    ),
    "a line that goes on": (SERVICES, service("a", "kexec \\\n\t-e\n"), "The services a use kexec"),
    "a command behind another": (
        SERVICES,
        service("a", "sync; kexec -e\n"),
        "The services a use kexec",
    ),
    "a command of OpenRC": (
        SERVICES,
        service("a", 'command="/usr/sbin/kexec"\ncommand_args="-e"\n'),
        "The services a use kexec",
    ),
    "an image for a crash, spelled out": (
        SERVICES,
        service("kdump", "kexec --load-panic k\n"),
        None,
    ),
    "a look whether it is there": (
        SERVICES,
        service("a", "[ -x /usr/sbin/kexec ] && [ -e /boot/x ]\ncommand -v kexec || [ -f /x ]\n"),
        None,
    ),
    "a word about it": (
        SERVICES,
        service("a", 'ebegin "Use kexec -l"\nlogger -t kexec -e\n'),
        None,
    ),
    "a long line": (SERVICES, service("a", "kexec " * 20000), None),
    "an image for a crash": (SERVICES, service("kdump", "kexec -p --initrd=i k\n"), None),
    "a remark about kexec": (SERVICES, service("a", "# kexec -e would be faster\n"), None),
    "another word": (SERVICES, service("a", "notkexec -e\nkexec-tools -e\n"), None),
}


@pytest.mark.parametrize(("check", "files", "message"), FINDS.values(), ids=FINDS)
def test_check_finds(
    alpine: fakes.FakeHost, check: Check[t.Any], files: dict[str, str], message: str | None
) -> None:
    for path, content in files.items():
        alpine.write(path, content)
    found = check.reasons(alpine.host)
    assert len(found) == (message is not None)
    assert message is None or message in found[0].message


def test_checks_have_names_of_their_own_and_are_all_made() -> None:
    names = [check.name for check in CHECKS]
    assert names == ["hypervisor", "boot_mount", "services"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_says_nothing_of_an_alpine_host(alpine: fakes.FakeHost, check: Check[t.Any]) -> None:
    before = alpine.snapshot()
    assert check.reasons(alpine.host) == []
    assert alpine.snapshot() == before

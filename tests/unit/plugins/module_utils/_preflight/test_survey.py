# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole preflight on a host as files: every reason with its message and its remedy."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import survey
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, Reason
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

KERNEL = "/boot/vmlinuz-virt"
INITRAMFS = "/boot/initramfs-virt"
EXTLINUX = "/boot/extlinux.conf"
REINSTALL = "Reinstall the kernel's package, mount /boot, or correct the path."
LOOK = (
    "Find out what became of it. Then put kexec_hung into ignore_reasons for one reboot, which "
    "clears it if it succeeds, or remove /var/lib/alpinefleet-kexec/jump on the host."
)
OTHER_SOURCE = "The running command line is used; set cmdline_source to choose another."


@dataclass(frozen=True)
class Case:
    """How to bring a host, or a request, into a state, and what is to be said of it."""

    code: str
    arrange: t.Callable[[fakes.FakeHost], object]
    message: str
    remedy: str
    blocks: Blocks
    wish: Wish = field(default_factory=Wish)


def run_xen(alpine: fakes.FakeHost) -> None:
    alpine.write("/sys/hypervisor/type", "xen\n")
    alpine.write("/proc/xen/capabilities", "control_d\n")


def follow_the_wiki(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/init.d/kexec-load", "stop() {\n\tkexec -l /boot/vmlinuz-lts\n}\n")
    alpine.write("/etc/runlevels/default/kexec-load", "")


def nothing(_alpine: fakes.FakeHost) -> None:
    """The request alone is what is to be said something of."""


def freeze_what_nobody_knows(alpine: fakes.FakeHost) -> None:
    alpine.freeze()
    alpine.write("/run/alpinefleet-kexec/frozen", "-")


def drop_capability(alpine: fakes.FakeHost) -> None:
    alpine.become(0, "000001ffffbfffff")


def deny(alpine: fakes.FakeHost) -> None:
    alpine.kernel_answer = "EPERM"


def name_a_byte_that_is_no_letter(alpine: fakes.FakeHost) -> None:
    alpine.path(KERNEL).rename(alpine.path("/boot/vmlinuz-\udce9"))
    menu = fakes.extlinux(fakes.CONFIGURED).encode()
    alpine.write(EXTLINUX, menu.replace(b"vmlinuz-virt", b"vmlinuz-\xe9"))


def take_pipe(alpine: fakes.FakeHost) -> None:
    alpine.remove(KERNEL)
    os.mkfifo(alpine.path(KERNEL))


def lose_loader(alpine: fakes.FakeHost) -> None:
    alpine.remove(EXTLINUX)


def lose_loader_and_flavour(alpine: fakes.FakeHost) -> None:
    lose_loader(alpine)
    alpine.add_flavour("lts", "6.18.56-0-lts")
    alpine.write("/proc/sys/kernel/osrelease", "6.18.56-0-edge\n")


def add_grub(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/grub/grub.cfg", "")
    alpine.write("/proc/sys/kernel/bootloader_type", "255\n")


def configure(cmdline: str) -> t.Callable[[fakes.FakeHost], None]:
    return lambda alpine: alpine.write(EXTLINUX, fakes.extlinux(cmdline))


CASES = [
    Case(
        "no_kexec_support",
        lambda alpine: alpine.write(f"/boot/config-{fakes.RELEASE}", "# CONFIG_KEXEC is not set\n"),
        f"The running kernel {fakes.RELEASE} is built without CONFIG_KEXEC.",
        "Boot a kernel with kexec, such as linux-lts or linux-virt.",
        "kexec",
    ),
    Case(
        "no_kexec_tools",
        lambda alpine: alpine.runner.installed.pop("kexec"),
        "The kexec command is not installed.",
        "Install the package kexec-tools.",
        "kexec",
    ),
    Case(
        "no_openrc",
        lambda alpine: alpine.runner.installed.pop("openrc"),
        "The openrc command was not found: a clean shutdown before the jump is not possible.",
        "Reboot through firmware; kexec needs a host that runs OpenRC.",
        "kexec",
    ),
    Case(
        "kexec_hung",
        fakes.FakeHost.jump,
        f"The last jump into {fakes.RELEASE} at 2026-11-26T05:40:57Z did not lead to a system that "
        "was proven: it hung, panicked or was not confirmed, or somebody reset the host.",
        LOOK,
        "kexec",
    ),
    Case(
        "kexec_hung",
        lambda alpine: alpine.jump("garbage"),
        "The last jump did not lead to a system that was proven: it hung, panicked or was not "
        "confirmed, or somebody reset the host. /var/lib/alpinefleet-kexec/jump cannot be understood, which counts as "
        "that.",
        LOOK,
        "kexec",
    ),
    Case(
        "kexec_locked",
        fakes.FakeHost.lock,
        "kernel.kexec_load_disabled is 1: the running kernel was booted without "
        "kexec_load_disabled=0, and the lock cannot be opened while it runs.",
        "Reboot once through firmware: the boot loader's configuration has the parameter already.",
        "kexec",
    ),
    Case(
        "kexec_relocked",
        fakes.FakeHost.relock,
        "kernel.kexec_load_disabled was set to 1 after the boot by /etc/sysctl.d/99-hard.conf:2, "
        "and cannot be set back.",
        "Remove that line from /etc/sysctl.d/99-hard.conf and reboot once through firmware.",
        "kexec",
    ),
    Case(
        "kexec_frozen",
        freeze_what_nobody_knows,
        "The service kexec-load loaded an image at boot and locked kexec behind it: no other image "
        "can be loaded, and that one runs only while its files are what they were.",
        "Reboot through firmware for another image.",
        "kexec",
    ),
    Case(
        "kexec_limit_reached",
        lambda alpine: alpine.write("/proc/sys/kernel/kexec_load_limit_reboot", "0\n"),
        "kernel.kexec_load_limit_reboot is 0: no image can be loaded until the next boot.",
        "Reboot through firmware, and remove the limit if it was not intended.",
        "kexec",
    ),
    Case(
        "lockdown",
        fakes.FakeHost.boot_secure,
        "Kernel lockdown is in mode integrity because Secure Boot is on: unsigned images are "
        "refused.",
        "Reboot through firmware, or boot without lockdown= and Secure Boot.",
        "kexec",
    ),
    Case(
        "no_cap_sys_boot",
        drop_capability,
        "The process lacks the capability CAP_SYS_BOOT.",
        "Run it in a session whose capabilities are not reduced.",
        "kexec",
    ),
    Case(
        "kexec_denied",
        deny,
        "The kernel answers EPERM to kexec_load and no known cause was found.",
        "Look for a security module or a seccomp filter that forbids kexec_load.",
        "kexec",
    ),
    Case(
        "memory_low",
        lambda alpine: alpine.write("/proc/meminfo", "MemAvailable: 8192 kB\n"),
        "8 MiB of memory are available and the image needs 16 MiB.",
        "Stop services before the reboot, or put memory_low into ignore_reasons.",
        "kexec",
    ),
    Case(
        "platform_denied",
        lambda alpine: alpine.write("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
        "The host is a Raspberry Pi: its firmware does not set up the devices again that kexec "
        "leaves in use.",
        "Reboot it through firmware, or put platform_denied into ignore_reasons.",
        "kexec",
    ),
    Case(
        "target_is_controller",
        nothing,
        "The target runs the same boot as the machine that runs Ansible.",
        "Reboot that machine by hand, or run Ansible on another one.",
        "reboot",
        Wish(controller_boot_id=fakes.BOOT_ID),
    ),
    Case(
        "container",
        fakes.FakeHost.contain,
        "The target is a container (process namespace): it shares the kernel of its host.",
        "Target the machine on which the container runs.",
        "reboot",
    ),
    Case(
        "not_root",
        lambda alpine: alpine.become(1000),
        "The task runs with user id 1000.",
        "Set become to true, or connect as root.",
        "reboot",
    ),
    Case(
        "already_leaving",
        fakes.FakeHost.start_leaving,
        "The host is being shut down for a reboot that was ordered before.",
        "Wait until it is back, and see who ordered that reboot.",
        "reboot",
    ),
    Case(
        "kernel_missing",
        nothing,
        "/boot/vmlinuz-lts does not exist; installed flavours: virt.",
        "Check the option kernel, or mount /boot.",
        "reboot",
        Wish(kernel="/boot/vmlinuz-lts"),
    ),
    Case(
        "kernel_missing",
        lambda alpine: alpine.remove(KERNEL),
        f"{KERNEL} does not exist.",
        REINSTALL,
        "reboot",
    ),
    Case(
        "kernel_invalid",
        lambda alpine: alpine.write(KERNEL, "#!/bin/sh\n"),
        f"{KERNEL} is not a Linux kernel in a format that kexec can start.",
        "Reinstall the kernel's package, or correct the path.",
        "kexec",
    ),
    Case(
        "hypervisor",
        run_xen,
        "The host is a control domain of Xen: a jump would leave Xen and all guests behind.",
        "Reboot it through firmware.",
        "kexec",
    ),
    Case(
        "boot_not_mounted",
        lambda alpine: alpine.write("/etc/fstab", "UUID=2 /boot ext4 rw 0 2\n"),
        "/boot is in /etc/fstab and not mounted: what lies in its directory is not what boots.",
        "Mount /boot, or remove its line from /etc/fstab.",
        "kexec",
    ),
    Case(
        "kexec_services",
        follow_the_wiki,
        "The services kexec-load use kexec while the host goes down: they would replace the image, or "
        "jump where firmware was wanted.",
        "Take them out of their runlevels (rc-update del) and stop them, or let the role kexec_host "
        "do so.",
        "reboot",
    ),
    Case(
        "starts_no_linux",
        lambda alpine: alpine.write(
            "/boot/extlinux.conf", "DEFAULT xen\nLABEL xen\nKERNEL mboot.c32\n"
        ),
        "/boot/extlinux.conf does not start Linux itself: its label 'xen' starts mboot.c32, no "
        "kernel. A jump into a kernel would leave that out.",
        "Reboot through firmware, or put starts_no_linux into ignore_reasons.",
        "kexec",
    ),
    Case(
        "boot_files_elsewhere",
        lambda alpine: alpine.write(
            "/boot/extlinux.conf", "DEFAULT a\nLABEL a\nLINUX /elsewhere/k\n"
        ),
        "/boot/extlinux.conf names /elsewhere/k, and not all of that was found on the mounted file "
        "systems.",
        "Mount the file system that the boot loader reads, or set the options kernel and initramfs.",
        "kexec",
    ),
    Case(
        "kernel_truncated",
        lambda alpine: alpine.cut(KERNEL, 4000),
        f"{KERNEL} has 4000 bytes and its header says 4096.",
        "Free space in /boot and reinstall the kernel's package.",
        "reboot",
    ),
    Case(
        "kernel_wrong_architecture",
        lambda alpine: alpine.write("/srv/vmlinuz-arm", fakes.arm64_image()),
        "/srv/vmlinuz-arm is a 64 bit arm64 kernel and the host is x86_64.",
        "Name a kernel for the host's architecture.",
        "reboot",
        Wish(kernel="/srv/vmlinuz-arm", initramfs=(INITRAMFS,)),
    ),
    Case(
        "initramfs_missing",
        lambda alpine: alpine.remove(INITRAMFS),
        f"{INITRAMFS} does not exist.",
        REINSTALL,
        "reboot",
    ),
    Case(
        "initramfs_missing",
        lambda alpine: alpine.write("/srv/bzImage", fakes.bzimage()),
        "No initramfs that belongs to /srv/bzImage was found by its name.",
        "Set the option initramfs; an empty list boots the kernel without one.",
        "reboot",
        Wish(kernel="/srv/bzImage"),
    ),
    Case(
        "initramfs_invalid",
        lambda alpine: alpine.write(INITRAMFS, "text"),
        f"{INITRAMFS} is not an initramfs: it is neither a cpio archive nor compressed in a way "
        "that kernels know.",
        "Run mkinitfs again, or correct the path.",
        "kexec",
    ),
    Case(
        "initramfs_truncated",
        lambda alpine: alpine.cut(INITRAMFS, 60),
        f"{INITRAMFS} ends in the middle of its archive.",
        "Free space in /boot and run mkinitfs again.",
        "reboot",
    ),
    Case(
        "initramfs_mismatch",
        lambda alpine: alpine.write(INITRAMFS, fakes.initramfs(fakes.OLD_RELEASE)),
        f"{INITRAMFS} holds modules of {fakes.OLD_RELEASE} and {KERNEL} is {fakes.RELEASE}.",
        f"Run mkinitfs for {fakes.RELEASE}.",
        "reboot",
    ),
    Case(
        "modules_missing",
        lambda alpine: alpine.remove(f"/lib/modules/{fakes.RELEASE}"),
        f"{KERNEL} is {fakes.RELEASE} and /lib/modules/{fakes.RELEASE} does not exist.",
        "Reinstall the kernel's package.",
        "reboot",
    ),
    Case(
        "path_invalid",
        nothing,
        "'/boot/../srv/vmlinuz-x' is not the absolute path of a file on the host.",
        "Name the file by its full path, such as /boot/vmlinuz-virt.",
        "reboot",
        Wish(kernel="/boot/../srv/vmlinuz-x"),
    ),
    Case(
        "path_invalid",
        name_a_byte_that_is_no_letter,
        "'/boot/vmlinuz-\\udce9' is not the absolute path of a file on the host.",
        "Name the file by its full path, such as /boot/vmlinuz-virt.",
        "kexec",
    ),
    Case(
        "path_invalid",
        name_a_byte_that_is_no_letter,
        "'/boot/vmlinuz-\\udce9' is not the absolute path of a file on the host.",
        "Name the file by its full path, such as /boot/vmlinuz-virt.",
        "reboot",
        Wish(kernel="/boot/vmlinuz-\udce9"),
    ),
    Case(
        "path_invalid",
        take_pipe,
        f"{KERNEL} is not a regular file.",
        "Name a regular file.",
        "reboot",
    ),
    Case(
        "path_unreadable",
        lambda alpine: alpine.link(KERNEL, "vmlinuz-virt"),
        f"{KERNEL} cannot be read.",
        "Check the file system and the permissions.",
        "kexec",
    ),
    Case(
        "flavour_unknown",
        nothing,
        "/boot/vmlinuz-lts does not exist; installed flavours: virt.",
        "Install the package linux-lts, or choose an installed flavour.",
        "reboot",
        Wish(flavour="lts"),
    ),
    Case(
        "flavour_ambiguous",
        lose_loader_and_flavour,
        "The running kernel's flavour 'edge' is not in /boot; flavours there: lts, virt.",
        "Set the option flavour or kernel, or mount /boot.",
        "kexec",
    ),
    Case(
        "cmdline_invalid",
        nothing,
        "The kernel command line is not valid: 'a b' is not exactly one kernel parameter.",
        "Correct the options cmdline, cmdline_append and cmdline_remove, or the boot loader's "
        "configuration.",
        "reboot",
        Wish(append=("a b",)),
    ),
    Case(
        "cmdline_too_long",
        nothing,
        "The command line needs 2049 bytes and x86_64 kernels accept 2048.",
        "Remove parameters with cmdline_remove, set panic_timeout to 0, or shorten the boot "
        "loader's configuration.",
        "reboot",
        Wish(cmdline_source="explicit", cmdline="x" * (2048 - len(" kexec_load_disabled=0"))),
    ),
    Case(
        "cmdline_unknown",
        lose_loader,
        "The boot loader's command line was not found. No configuration of a known boot loader "
        "was found.",
        "Set cmdline_source to running or explicit.",
        "kexec",
        Wish(cmdline_source="boot_loader"),
    ),
    Case(
        "next_boot_locks",
        configure("root=/dev/vda1 panic=10"),
        f"{EXTLINUX} lacks kexec_load_disabled=0: after a boot through firmware kexec is locked.",
        "Add kexec_load_disabled=0 to the boot loader's configuration.",
        "nothing",
    ),
    Case(
        "boot_loader_not_found",
        lose_loader,
        "No configuration of a known boot loader was found.",
        OTHER_SOURCE,
        "nothing",
    ),
    Case(
        "boot_loader_ambiguous",
        add_grub,
        f"Several boot loaders are configured: {EXTLINUX}, /boot/grub/grub.cfg.",
        "Remove the configuration that is not in use; the running command line is used.",
        "nothing",
    ),
    Case(
        "boot_loader_not_understood",
        lambda alpine: alpine.write(EXTLINUX, "INCLUDE other.conf\n"),
        f"{EXTLINUX} was not understood: it includes another file.",
        OTHER_SOURCE,
        "nothing",
    ),
    Case(
        "cmdline_drift",
        configure(f"{fakes.CONFIGURED} console=ttyS0"),
        f"The command line in {EXTLINUX} differs from the running one.",
        "Nothing needs to be done if the change was intended: it takes effect now.",
        "nothing",
    ),
    Case(
        "initramfs_unverified",
        lambda alpine: alpine.write(INITRAMFS, b"\x02\x21\x4c\x18" + b"\0" * 60),
        f"{INITRAMFS} is compressed in a way that Python on this host cannot undo.",
        "Nothing needs to be done; whether it fits the kernel was not checked.",
        "nothing",
    ),
    Case(
        "hang_uncovered",
        lambda alpine: alpine.remove("/sys/class/watchdog/watchdog0"),
        "Nothing resets the host if the new kernel hangs. The host has no watchdog.",
        "Add a watchdog device to a virtual machine, or load the driver of the one that the machine "
        "has; until then, have a way to reset the host at hand.",
        "nothing",
    ),
    Case(
        "passphrase_needed",
        nothing,
        "The command line has cryptroot=UUID=2 and names no key: if the initramfs has no other means, "
        "somebody must type a passphrase after the jump, as after each boot.",
        "Be at the console, or have an ssh server in the initramfs and set other_host_key to wait.",
        "nothing",
        Wish(append=("cryptroot=UUID=2",)),
    ),
    Case(
        "initramfs_lacks_module",
        lambda host: host.write(f"/lib/modules/{fakes.RELEASE}/modules.builtin", ""),
        "The command line has root=ZFS=pool/root, and the module zfs is neither in the initramfs nor "
        "a part of the kernel: the root file system may not be found.",
        "Add what has it to the features in /etc/mkinitfs/mkinitfs.conf and run mkinitfs.",
        "nothing",
        Wish(append=("root=ZFS=pool/root",), remove=("root", "rootfstype")),
    ),
    Case(
        "panic_hangs",
        nothing,
        "The command line sets no time with panic=: a kernel panic early in the boot stops the "
        "host for good.",
        "Set panic_timeout to a number of seconds, or add panic=10 to the boot loader's "
        "configuration.",
        "nothing",
        Wish(remove=("panic",)),
    ),
]

# These two say what the kexec command did; the tests of loading have them.
# Of loading, unloading, of boot_parameter and of slots: a survey finds none of them.
OF_COMMANDS = {
    "cold_proof_unsupported",
    "slot_invalid",
    "slots_edited",
    "slots_unsupported",
    "load_in_progress",
    "boot_config_damaged",
    "boot_config_unwritable",
    "boot_menu_not_regenerated",
    "build_refused",
    "load_failed",
    "parameter_invalid",
    "slot_damaged",
    "slot_in_use",
    "slot_source_changed",
    "slot_unknown",
    "space_low",
    "origin_not_understood",
    "package_unknown",
    "slots_missing",
    "slots_unguarded",
    "trial_left_running",
    "trial_not_running",
    "trial_not_understood",
    "trial_of_another",
    "trial_over",
    "trial_unchecked",
    "unload_failed",
}

each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.code}: {case.message[:40]}") for case in CASES]
)


def surveyed(alpine: fakes.FakeHost, case: Case) -> survey.Survey:
    case.arrange(alpine)
    return survey.survey(alpine.host, case.wish)


@each_case
def test_survey_finds(alpine: fakes.FakeHost, case: Case) -> None:
    reasons = [each for each in surveyed(alpine, case).reasons if each.code == case.code]
    assert reasons == [Reason(case.code, case.message, case.remedy, case.blocks)]


@each_case
def test_survey_is_able_unless_a_reason_blocks(alpine: fakes.FakeHost, case: Case) -> None:
    found = surveyed(alpine, case)
    assert found.able is (case.blocks == "nothing")
    assert survey.result(found)["method"] == ("kexec" if found.able else "firmware")


@each_case
def test_survey_changes_nothing(alpine: fakes.FakeHost, case: Case) -> None:
    case.arrange(alpine)
    before = alpine.snapshot()
    survey.result(survey.survey(alpine.host, case.wish))
    assert alpine.snapshot() == before
    assert alpine.runner.changes == []


def test_every_code_has_a_case() -> None:
    assert {case.code for case in CASES} | OF_COMMANDS == set(_reasons.VOCABULARY)


def test_survey_of_an_alpine_host_finds_nothing(alpine: fakes.FakeHost) -> None:
    found = survey.survey(alpine.host, Wish())
    assert (found.reasons, found.able) == ((), True)


def test_reasons_that_block_come_first(alpine: fakes.FakeHost) -> None:
    alpine.write(INITRAMFS, b"\x02\x21\x4c\x18" + b"\0" * 60)
    alpine.write("/proc/meminfo", "MemAvailable: 8192 kB\n")
    found = survey.survey(alpine.host, Wish(remove=("panic",)))
    assert [each.code for each in found.reasons] == [
        "memory_low",
        "initramfs_unverified",
        "panic_hangs",
    ]
    assert [each.code for each in found.obstacles] == ["memory_low"]


def test_nobody_is_told_to_reboot_a_host_that_must_not_be_rebooted(alpine: fakes.FakeHost) -> None:
    alpine.lock()
    alpine.cut(INITRAMFS, 60)
    found = survey.survey(alpine.host, Wish())
    assert [each.code for each in found.obstacles] == ["initramfs_truncated", "kexec_locked"]


@pytest.mark.parametrize("code", _reasons.IGNORABLE)
def test_ignored_reasons_are_told_and_do_not_block(alpine: fakes.FakeHost, code: str) -> None:
    case = next(each for each in CASES if each.code == code)
    case.arrange(alpine)
    found = survey.survey(alpine.host, Wish(ignore=(code,)))
    assert found.able
    assert [(each.code, each.blocks) for each in found.reasons] == [(code, "nothing")]


@pytest.mark.parametrize("code", ["kexec_locked", "container", "kernel_truncated"])
def test_reasons_that_cannot_be_ignored_still_block(alpine: fakes.FakeHost, code: str) -> None:
    case = next(each for each in CASES if each.code == code)
    case.arrange(alpine)
    assert not survey.survey(alpine.host, Wish(ignore=(code,))).able


@pytest.mark.parametrize(
    ("name", "mount"),
    [
        pytest.param("/boot/../boot/vmlinuz-virt", "", id="up and down"),
        pytest.param("/vmlinuz/../../boot/./vmlinuz-virt", "", id="above the top"),
        pytest.param("/grub/../vmlinuz-virt", "/dev/vda1 /boot ext4 rw 0 0\n", id="own /boot"),
        pytest.param("/boot//vmlinuz-virt", "", id="slashes"),
    ],
)
def test_path_that_a_boot_loader_follows_is_followed(
    alpine: fakes.FakeHost, name: str, mount: str
) -> None:
    alpine.remove(EXTLINUX)
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    alpine.write("/proc/mounts", f"/dev/vda3 / ext4 rw 0 0\n{mount}")
    alpine.write(
        "/boot/grub/grub.cfg",
        f"menuentry a {{\nlinux {name} {fakes.CONFIGURED}\ninitrd /initramfs-virt\n}}\n",
    )
    found = survey.survey(alpine.host, Wish())
    assert found.obstacles == ()
    assert survey.result(found)["kernel"] == KERNEL


def test_path_that_leads_off_the_disk_by_detours_blocks_kexec_only(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/kcore", "")
    menu = fakes.extlinux(fakes.CONFIGURED)
    alpine.write(EXTLINUX, menu.replace("vmlinuz-virt", "/boot/../proc/kcore"))
    obstacles = survey.survey(alpine.host, Wish()).obstacles
    assert [(each.code, each.blocks) for each in obstacles] == [("path_invalid", "kexec")]


@pytest.mark.parametrize(
    "magic",
    [pytest.param(b"\xd0\x0d\xfe\xed", id="FIT"), pytest.param(b"\x27\x05\x19\x56", id="uImage")],
)
@pytest.mark.parametrize(
    ("wish", "blocks"), [(Wish(), "kexec"), (Wish(kernel=KERNEL), "reboot")], ids=["menu", "option"]
)
def test_image_that_only_a_boot_loader_takes_apart_blocks_kexec_only(
    alpine: fakes.FakeHost, magic: bytes, wish: Wish, blocks: str
) -> None:
    alpine.write(KERNEL, magic + b"\0\0\x10\0" * 1024)
    obstacles = survey.survey(alpine.host, wish).obstacles
    assert [(each.code, each.blocks) for each in obstacles] == [("kernel_invalid", blocks)]


OS = "/media/esp/os.efi"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        pytest.param(Wish(kernel=OS), "kernel_invalid", id="by itself"),
        pytest.param(Wish(kernel=OS, initramfs=()), "kernel_invalid", id="without an initramfs"),
        pytest.param(
            Wish(kernel=OS, initramfs=("/boot/initramfs-virt",)), "kernel_invalid", id="with one"
        ),
        pytest.param(Wish(kernel="/media/esp/k"), "initramfs_missing", id="a kernel by itself"),
        pytest.param(Wish(kernel="/media/esp/none"), "initramfs_missing", id="nothing"),
    ],
)
def test_unified_kernel_image_is_called_one(alpine: fakes.FakeHost, wish: Wish, code: str) -> None:
    alpine.write(OS, fakes.unified_image())
    alpine.write("/media/esp/k", fakes.bzimage())
    (found,) = survey.survey(alpine.host, wish).obstacles
    assert (found.code, found.blocks) == (code, "reboot")
    assert ("unified kernel image" in found.message) is (code == "kernel_invalid")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        pytest.param(Wish(kernel="/proc/kcore"), "path_invalid", id="of the kernel"),
        pytest.param(Wish(kernel="/media/../os.efi"), "path_invalid", id="that leads elsewhere"),
        pytest.param(Wish(kernel="media/esp/os.efi"), "path_invalid", id="relative"),
        pytest.param(Wish(kernel="/media/esp/os\n.efi"), "path_invalid", id="of two lines"),
        pytest.param(Wish(kernel="/boot/os.efi"), "kernel_missing", id="that is not in /boot"),
    ],
)
def test_name_that_was_refused_is_not_opened(
    alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch, wish: Wish, code: str
) -> None:
    opened: list[str] = []
    really = Host.open

    def note(host: Host, path: str) -> t.BinaryIO:
        opened.append(path)
        return really(host, path)

    monkeypatch.setattr(Host, "open", note)
    (found,) = survey.survey(alpine.host, wish).obstacles
    assert found.code == code
    assert wish.kernel not in opened


# --- The command line: whose mistake it is -------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "wish", "blocks"),
    [
        pytest.param('root="/dev/vda1', Wish(), "kexec", id="the boot loader's"),
        pytest.param(fakes.CONFIGURED, Wish(append=('a="b',)), "reboot", id="the user's"),
        pytest.param("x" * 2100, Wish(), "kexec", id="the boot loader's is too long"),
    ],
)
def test_a_bad_command_line_blocks_by_who_wrote_it(
    alpine: fakes.FakeHost, configured: str, wish: Wish, blocks: str
) -> None:
    configure(configured)(alpine)
    found = survey.survey(alpine.host, wish)
    assert found.cmdline is None
    assert [each.blocks for each in found.obstacles] == [blocks]


def test_a_running_command_line_with_an_open_quote_does_not_block(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/cmdline", f'{fakes.RUNNING} name="open\n')
    assert survey.survey(alpine.host, Wish()).able


# --- The result ----------------------------------------------------------------------------


def test_result_of_a_host_that_cannot_be_chosen_for(alpine: fakes.FakeHost) -> None:
    result = survey.result(survey.survey(alpine.host, Wish(flavour="lts", append=("a b",))))
    assert (result["kernel"], result["initramfs"], result["release"]) == (None, [], None)
    assert result["cmdline"] is None
    facts = result["facts"]
    assert (facts["flavour"], facts["cmdline_source"]) == (None, None)
    assert (facts["unlocked_after_firmware"], facts["unlocked_after_kexec"]) == (None, None)


def test_result_has_reasons_as_plain_values(alpine: fakes.FakeHost) -> None:
    result = survey.result(survey.survey(alpine.host, Wish(remove=("panic",))))
    assert [sorted(each) for each in result["reasons"]] == [["blocks", "code", "message", "remedy"]]


@pytest.mark.parametrize(
    ("note", "hung"),
    [
        pytest.param(
            fakes.JUMP, {"release": fakes.RELEASE, "time": "2026-11-26T05:40:57Z"}, id="hung"
        ),
        pytest.param("garbage", {"release": None, "time": None}, id="garbage"),
        pytest.param(f"{fakes.TOKEN} {fakes.BOOT_ID}", None, id="not yet"),
    ],
)
def test_facts_have_a_jump_that_did_not_arrive(
    alpine: fakes.FakeHost, note: str, hung: dict[str, str | None] | None
) -> None:
    alpine.jump(note)
    assert survey.facts(survey.survey(alpine.host, Wish()))["hung"] == hung


def test_result_names_microcode_first(alpine: fakes.FakeHost) -> None:
    alpine.write("/boot/intel-ucode.img", fakes.microcode())
    menu = fakes.extlinux(fakes.CONFIGURED, initrd="initramfs-virt,intel-ucode.img")
    alpine.write(EXTLINUX, menu)
    result = survey.result(survey.survey(alpine.host, Wish()))
    assert result["initramfs"] == ["/boot/intel-ucode.img", INITRAMFS]


def test_facts_of_an_upgraded_host(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/sys/kernel/osrelease", f"{fakes.OLD_RELEASE}\n")
    result = survey.result(survey.survey(alpine.host, Wish()))
    assert result["release"] == fakes.RELEASE
    assert result["facts"]["running_release"] == fakes.OLD_RELEASE
    assert result["facts"]["reboot_needed"] is True
    assert len(result["facts"]["reboot_needed_because"]) == 2


def test_facts_of_an_alpine_host(alpine: fakes.FakeHost) -> None:
    facts = survey.facts(survey.survey(alpine.host, Wish()))
    expected = {
        "boot_loader": "extlinux",
        "boot_loader_config": EXTLINUX,
        "cmdline_source": "boot_loader",
        "firmware_kernel": KERNEL,
        "flavour": "virt",
        "installed_releases": {"virt": fakes.RELEASE},
        "kexec_tools_version": "2.0.32",
        "lock_settings": [],
        "reboot_needed": False,
        "unlocked_after_firmware": True,
        "unlocked_after_kexec": True,
    }
    assert {name: facts[name] for name in expected} == expected


def test_facts_name_every_line_that_sets_the_lock(alpine: fakes.FakeHost) -> None:
    alpine.relock()
    alpine.write("/etc/sysctl.conf", "kernel/kexec_load_disabled=0\n")
    facts = survey.facts(survey.survey(alpine.host, Wish()))
    assert facts["lock_settings"] == [
        {"path": "/etc/sysctl.d/99-hard.conf", "line": 2, "value": "1"},
        {"path": "/etc/sysctl.conf", "line": 1, "value": "0"},
    ]


# --- A kernel that is of a slot ---------------------------------------------------------------

SLOT = f"{fakes.RELEASE}-0f3a5c7e9b1d"


def in_slot(alpine: fakes.FakeHost) -> None:
    """Have the boot loader boot a slot, of which apk has removed the modules."""
    folder = f"/boot/alpinefleet-kexec/{SLOT}"
    alpine.write(f"{folder}/linux", fakes.bzimage())
    alpine.write(f"{folder}/initrd", fakes.initramfs())
    alpine.write(f"/lib/alpinefleet-kexec/{SLOT}/modules.dep", "")
    alpine.remove(f"/lib/modules/{fakes.RELEASE}")
    cmdline = f"{fakes.CONFIGURED} alpinefleet_kexec.slot={SLOT}"
    files = {
        "kernel": f"alpinefleet-kexec/{SLOT}/linux",
        "initrd": f"alpinefleet-kexec/{SLOT}/initrd",
    }
    alpine.write("/boot/extlinux.conf", fakes.extlinux(cmdline, **files))


def test_slot_needs_no_modules_of_apk_and_its_kernel_is_told_its_slot(
    alpine: fakes.FakeHost,
) -> None:
    in_slot(alpine)
    found = survey.survey(alpine.host, Wish())
    assert found.able
    assert found.inspected.release == fakes.RELEASE
    assert found.cmdline is not None
    assert found.cmdline.text == f"{fakes.CONFIGURED} alpinefleet_kexec.slot={SLOT}"


def test_kernel_that_is_of_no_slot_is_told_none(alpine: fakes.FakeHost) -> None:
    in_slot(alpine)
    alpine.write(f"/lib/modules/{fakes.RELEASE}/modules.dep", "")
    found = survey.survey(alpine.host, Wish(kernel="/boot/vmlinuz-virt"))
    assert found.able
    assert found.cmdline is not None
    assert found.cmdline.text == fakes.CONFIGURED

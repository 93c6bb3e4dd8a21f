# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of Debian's and of the lab's own make which Alpine package."""

from __future__ import annotations

from dataclasses import dataclass

from .grub_scripts import ALPINES_EDITS, Edit

GRUB_SYSTEM_TOOLS = (
    "grub-install",
    "grub-mkconfig",
    "grub-probe",
    "grub-reboot",
    "grub-set-default",
)
GRUB_TOOLS = ("grub-editenv", "grub-file", "grub-mkimage", "grub-mkrelpath", "grub-script-check")
# All that Alpine has; Debian's own 05_debian_theme is left out.
GRUB_SCRIPTS = (
    "00_header",
    "10_linux",
    "20_linux_xen",
    "30_os-prober",
    "30_uefi-firmware",
    "40_custom",
    "41_custom",
)
GRUB_TRIGGER = """\
grep -qs '^disable_trigger=1' /etc/update-grub.conf && exit 0
exec /usr/sbin/update-grub"""


@dataclass(frozen=True)
class Recipe:
    """One Alpine package: files of Debian's, files of our own, and its metadata."""

    name: str
    version_from: str
    """The Debian package whose version it has, or a version."""
    summary: str
    copies: tuple[tuple[str, str], ...] = ()
    whole: tuple[str, ...] = ()
    own: tuple[tuple[str, str, int], ...] = ()
    folders: tuple[str, ...] = ()
    """Those that are empty."""
    provides: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    """Changes to the copies."""
    setuid: tuple[str, ...] = ()
    """Programs that run as their owner."""
    trigger: str = ""
    """The commands that apk runs after a change below /boot."""


RECIPES = (
    Recipe(
        name="busybox-mdev-openrc",
        version_from="1.37.0-r30",
        summary="the lab's stand-in for Alpine's mdev service",
        own=(("mdev.initd", "etc/init.d/mdev", 0o755),),
    ),
    Recipe(
        name="python3",
        version_from="python3-minimal",
        summary="Python 3 (Debian's build, repackaged by the lab)",
        whole=(
            "python3-minimal",
            "python3.*-minimal",
            "libpython3.*-minimal",
            "libpython3.*-stdlib",
        ),
    ),
    Recipe(
        name="kexec-tools",
        version_from="kexec-tools",
        summary="kexec (Debian's build, repackaged by the lab)",
        copies=(("sbin/kexec", "usr/sbin/kexec"),),
    ),
    Recipe(
        name="openssh",
        version_from="openssh-server",
        summary="OpenSSH (Debian's build, repackaged by the lab)",
        copies=(
            ("usr/sbin/sshd", "usr/sbin/sshd"),
            ("usr/lib/openssh/sftp-server", "usr/lib/ssh/sftp-server"),
            ("usr/bin/ssh", "usr/bin/ssh"),
            ("usr/bin/scp", "usr/bin/scp"),
            ("usr/bin/sftp", "usr/bin/sftp"),
            ("usr/bin/ssh-keygen", "usr/bin/ssh-keygen"),
        ),
        own=(
            ("sshd.initd", "etc/init.d/sshd", 0o755),
            ("sshd_config", "etc/ssh/sshd_config", 0o644),
        ),
        provides=("openssh-server", "openssh-client", "openssh-sftp-server", "openssh-keygen"),
    ),
    Recipe(
        name="syslinux",
        version_from="syslinux-common",
        summary="extlinux (Debian's build) and the lab's stand-in for update-extlinux",
        copies=(
            ("usr/bin/extlinux", "sbin/extlinux"),
            ("usr/lib/syslinux/mbr/mbr.bin", "usr/share/syslinux/mbr.bin"),
            ("usr/lib/syslinux/modules/bios", "usr/share/syslinux"),
        ),
        own=(("update-extlinux", "sbin/update-extlinux", 0o755),),
        folders=("etc/update-extlinux.d",),
        trigger="exec /sbin/update-extlinux --warn-only",
    ),
    Recipe(
        name="grub",
        version_from="grub-common",
        summary="GRUB's tools (Debian's build) and the lab's stand-in for update-grub",
        copies=(
            *((f"usr/sbin/{name}", f"usr/sbin/{name}") for name in GRUB_SYSTEM_TOOLS),
            *((f"usr/bin/{name}", f"usr/bin/{name}") for name in GRUB_TOOLS),
            *((f"etc/grub.d/{name}", f"etc/grub.d/{name}") for name in GRUB_SCRIPTS),
            ("usr/share/grub/grub-mkconfig_lib", "usr/share/grub/grub-mkconfig_lib"),
        ),
        own=(("update-grub", "usr/sbin/update-grub", 0o755),),
        edits=ALPINES_EDITS,
        trigger=GRUB_TRIGGER,
    ),
    Recipe(
        name="grub-bios",
        version_from="grub-pc-bin",
        summary="GRUB for BIOS (Debian's build, repackaged by the lab)",
        copies=(("usr/lib/grub/i386-pc", "usr/lib/grub/i386-pc"),),
    ),
    Recipe(
        name="grub-efi",
        version_from="grub-efi-amd64-bin",
        summary="GRUB for UEFI (Debian's build, repackaged by the lab)",
        copies=(("usr/lib/grub/x86_64-efi", "usr/lib/grub/x86_64-efi"),),
    ),
    Recipe(
        name="doas",
        version_from="doas",
        summary="doas (Debian's build, repackaged by the lab)",
        copies=(("usr/bin/doas", "usr/bin/doas"),),
        own=(("pam", "etc/pam.d/doas", 0o644), ("doas.conf", "etc/doas.conf", 0o600)),
        setuid=("usr/bin/doas",),
    ),
)

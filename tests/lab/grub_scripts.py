# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Debian's genuine /etc/grub.d/10_linux lacks to do what Alpine's does.

Unchanged it finds no initramfs-<flavour>, and names the root file system by its device where udev
does not keep /dev/disk. Everything else of it stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

LINUX_SCRIPT = "etc/grub.d/10_linux"


@dataclass(frozen=True)
class Edit:
    """One replacement in a text file, at the one place where it fits."""

    path: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Change the file; another genuine one than the one known is refused."""
        file = tree / self.path
        text = file.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise LabError(
                "script-unknown",
                f"{self.path} does not hold exactly once: {self.old}",
                "Debian's script has changed: adapt tests/lab/grub_scripts.py to it",
            )
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


ALPINES_EDITS = (
    # The settings of extlinux come first on a machine that has them.
    Edit(
        LINUX_SCRIPT,
        '. "$pkgdatadir/grub-mkconfig_lib"\n',
        '. "$pkgdatadir/grub-mkconfig_lib"\n'
        "extlinux_settings=/etc/update-extlinux.conf\n"
        'if [ -f "$extlinux_settings" ]; then\n'
        '  . "$extlinux_settings"\n'
        '  set -- "modules=$modules $default_kernel_opts" "$GRUB_CMDLINE_LINUX_DEFAULT"\n'
        '  GRUB_CMDLINE_LINUX_DEFAULT="$*"\n'
        "fi\n",
    ),
    # An entry's title begins with the system's own name, and has no suffix.
    Edit(LINUX_SCRIPT, "  OS=GNU/Linux\n", '  OS=$(. /etc/os-release && echo "$PRETTY_NAME")\n'),
    Edit(LINUX_SCRIPT, '"${GRUB_DISTRIBUTOR} GNU/Linux"', '"${GRUB_DISTRIBUTOR}"'),
    # mdev makes no links in /dev/disk; mkinitfs finds the UUID all the same.
    Edit(
        LINUX_SCRIPT,
        '    || ( ! test -e "/dev/disk/by-uuid/${GRUB_DEVICE_UUID}" \\\n'
        '\t&& ! test -e "/dev/disk/by-partuuid/${GRUB_DEVICE_PARTUUID}" ) \\\n',
        "",
    ),
    # vmlinuz-<flavour>: the flavour is all after the first hyphen, as in edge-virt.
    Edit(LINUX_SCRIPT, '"s,^[^0-9]*-,,g"', '"s,^[^-]*-,,"'),
    Edit(
        LINUX_SCRIPT,
        '"initramfs-genkernel-${version}" \\\n',
        '"initramfs-${version}" "initramfs-genkernel-${version}" \\\n',
    ),
)

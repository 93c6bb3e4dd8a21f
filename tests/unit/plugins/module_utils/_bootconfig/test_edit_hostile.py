# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each format against what is hostile to all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import edit
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings import (
    efi_stub,
    extlinux,
    grub,
    limine,
    raspberrypi,
    uki,
    update_extlinux,
    zipl,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.text import Finder
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)


@dataclass(frozen=True)
class Format:
    """A loader's file with a comment, and with @ in the place of the command line."""

    name: str
    path: str
    lines: Finder
    text: str
    # How the file writes the kernel's double quotes.
    quote: str = '"'

    def with_line(self, line: str) -> str:
        return self.text.replace("@", line.replace('"', self.quote))

    def edited(self, text: str, *changes: Change) -> str:
        return edit.edit({self.path: text}, self.lines, changes, "x86_64")[self.path]


MENU = """\
# panic=1 was here
DEFAULT lts
LABEL lts
  LINUX vmlinuz-lts
  INITRD initramfs-lts
  APPEND @
"""
FORMATS = (
    Format(
        "update-extlinux.conf",
        update_extlinux.SETTINGS,
        update_extlinux.lines,
        '# default_kernel_opts="panic=1"\noverwrite=1\ndefault_kernel_opts="@"\ntimeout=3\n',
        quote='\\"',
    ),
    Format("extlinux.conf", "/boot/extlinux.conf", extlinux.lines, MENU),
    Format(
        "grub",
        grub.SETTINGS,
        grub.lines,
        "# panic=1\nGRUB_TIMEOUT=2\nGRUB_CMDLINE_LINUX_DEFAULT='@'\nGRUB_DISABLE_RECOVERY=true\n",
    ),
    Format(
        "limine",
        "/boot/limine/limine.conf",
        limine.lines,
        "# panic=1\n/Alpine\n    protocol: linux\n    kernel_path: boot():/vmlinuz-lts\n"
        "    kernel_cmdline: @\n",
    ),
    Format(
        "uboot",
        "/boot/extlinux/extlinux.conf",
        extlinux.lines_of_uboot,
        "# panic=1\nlabel lts\n  kernel /vmlinuz-lts\n  fdtdir /dtbs-lts\n  append @\n",
    ),
    Format("raspberrypi", "/boot/cmdline.txt", raspberrypi.lines, "@\n"),
    Format(
        "zipl",
        zipl.SETTINGS,
        zipl.lines,
        "# parameters='panic=1'\n[alpine]\nimage=/boot/vmlinuz-lts\nparameters='@'\n",
    ),
    Format(
        "efi_stub",
        efi_stub.SETTINGS,
        efi_stub.lines,
        "# vmlinuz-lts panic=1\nvmlinuz-lts initrd=initramfs-lts @\n",
    ),
    Format(
        "uki",
        uki.SETTINGS,
        uki.lines,
        '# cmdline="panic=1"\ncmdline="@"\noutput_dir="/boot/EFI/Linux"\n',
        quote='\\"',
    ),
    Format("syslinux", "/media/usb/boot/syslinux/syslinux.cfg", extlinux.lines, MENU),
)
each_format = pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
LINE = 'root=LABEL=root dyndbg="file a.c panic=2" panic_on_oops=3 xpanic=4 kexec_load=5'
PANIC = Change("panic", "10")
UNLOCK = Change("kexec_load_disabled", "0")


@each_format
@pytest.mark.parametrize("last", [True, False], ids=["final newline", "no final newline"])
def test_nothing_else_is_touched(form: Format, last: bool) -> None:
    """Quotes inside quotes, names that are parts of others, and the parameter in a comment."""
    before, after = form.with_line(LINE), form.with_line(f"{LINE} panic=10 kexec_load_disabled=0")
    if not last:
        before, after = before.removesuffix("\n"), after.removesuffix("\n")
    assert form.edited(before, PANIC, UNLOCK) == after
    assert form.edited(after, PANIC, UNLOCK) == after
    absent = [replace(change, present=False) for change in (PANIC, UNLOCK)]
    assert form.edited(after, *absent) == before


@each_format
def test_line_ends_of_dos_are_kept_or_refused(form: Format) -> None:
    before, after = form.with_line(LINE), form.with_line(f"{LINE} panic=10")
    try:
        found = form.edited(before.replace("\n", "\r\n"), PANIC)
    except NotUnderstoodError:
        # A shell and U-Boot would take the carriage return for a part of the value.
        assert form.path.startswith("/etc/") or form.name == "uboot"
    else:
        assert found == after.replace("\n", "\r\n")


@each_format
def test_duplicates_become_one_where_the_last_one_was(form: Format) -> None:
    before = form.with_line("panic=1 quiet panic=2 panic-on-oops panic=3 ro")
    assert form.edited(before, PANIC) == form.with_line("quiet panic-on-oops panic=10 ro")
    assert form.edited(before, Change("panic", "2", present=False)) == form.with_line(
        "panic=1 quiet panic-on-oops panic=3 ro"
    )


@each_format
def test_an_empty_file_is_refused_or_gets_its_first_line(form: Format) -> None:
    try:
        found = form.edited("", PANIC)
    except NotUnderstoodError:
        return
    assert form.edited(found, PANIC) == found
    assert found.count("panic=10") == 1


@each_format
@pytest.mark.parametrize("other", FORMATS, ids=lambda form: form.name)
def test_a_file_of_another_loader_loses_nothing(form: Format, other: Format) -> None:
    """It is refused, or keeps every word: settings are assignments, and a menu is a menu."""
    text = other.with_line("quiet")
    try:
        found = form.edited(text, PANIC)
    except NotUnderstoodError:
        return
    assert found.startswith(text) or found.replace(" panic=10", "") == text


@pytest.mark.parametrize("form", [FORMATS[1], FORMATS[4], FORMATS[9]], ids=lambda form: form.name)
def test_a_menu_of_ten_entries_is_changed_in_each(form: Format) -> None:
    lines = [f"root=LABEL=root{number} quiet" for number in range(10)]
    before = "\n".join(form.with_line(line) for line in lines)
    after = "\n".join(form.with_line(f"{line} panic=10") for line in lines)
    assert form.edited(before, PANIC) == after

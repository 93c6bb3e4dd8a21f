# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kernel:
    description:
      - Path of the kernel on the host.
      - If neither O(kernel) nor O(flavour) is set, the kernel is the one that the boot loader boots next.
        Where no boot loader's configuration names one, it is the one of the running kernel's flavour, or the only
        one in C(/boot).
    type: path
  initramfs:
    description:
      - Paths of the initramfs files on the host, in any order.
      - Several files are joined into one, with CPU microcode first, as a boot loader does it.
      - If not set, the files are those of the boot loader's entry for that kernel, or the file
        C(initramfs-FLAVOUR) beside a kernel called C(vmlinuz-FLAVOUR).
      - An empty list boots the kernel without an initramfs.
    type: list
    elements: path
  flavour:
    description:
      - Flavour of the kernel, as in the names of Alpine's packages, such as V(lts), V(virt), V(stable) or V(edge).
      - Mutually exclusive with O(kernel).
    type: str
  cmdline_source:
    description:
      - Where the kernel command line comes from.
      - V(auto) takes the boot loader's configuration, or the running command line where that configuration is
        missing or not understood.
      - V(boot_loader) takes the boot loader's configuration and refuses to work without it.
      - V(running) takes the command line of the running kernel.
      - V(explicit) takes O(cmdline).
      - What belongs to one boot only (C(BOOT_IMAGE=), C(initrd=) and the token of an earlier reboot) is always
        left out. C(kexec_load_disabled=0) is always put in where the running kernel needs it to be unlocked.
    type: str
    choices:
      - auto
      - boot_loader
      - running
      - explicit
    default: auto
  cmdline:
    description:
      - The whole command line, for O(cmdline_source=explicit). With any other source it is refused.
    type: str
  cmdline_append:
    description:
      - Kernel parameters to add at the end of the command line.
      - A parameter that is in force already is not repeated.
    type: list
    elements: str
    default: []
  cmdline_remove:
    description:
      - Kernel parameters to leave out.
      - A name removes every parameter of that name; V(name=value) removes only that one.
      - The parameter C(kexec_load_disabled=0) stays where the running kernel needs it to be unlocked.
    type: list
    elements: str
    default: []
  panic_timeout:
    description:
      - Seconds after which a panic of the new kernel ends in a reboot through firmware.
        Without such a time Alpine's kernels halt after a panic early in the boot, and stay so.
      - Where the command line has no C(panic=) with a number, C(panic=) with this one is added, and C(oops=panic) where
        it has no C(oops=). What is added is named in C(alpinefleet_kexec.added=), lasts for one boot, and is left out
        when the command line of that boot is taken over.
      - What O(cmdline_append) adds and what O(cmdline_remove) names goes first.
      - With V(0) the command line is left alone. At most V(2147483647).
    type: int
    default: 10
  denied_platforms:
    description:
      - Platforms that are not to reboot through kexec, because it hung on one like them. The host gets
        the reason V(platform_denied).
      - A platform is written as its vendor and its product, as its product alone, or as the model of its device tree,
        the way P(alpinefleet.kexec.audit_report#filter) shows it. Upper and lower case do not matter.
    type: list
    elements: str
    default: []
  ignore_reasons:
    description: Codes of reasons that are reported and do not stop the work.
    type: list
    elements: str
    choices:
      - initramfs_mismatch
      - kexec_hung
      - memory_low
      - modules_missing
      - platform_denied
      - starts_no_linux
    default: []
"""

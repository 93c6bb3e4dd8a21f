#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kexec_preflight
short_description: Find out whether a host can reboot through kexec
version_added: 1.0.0
description:
  - Reads everything that decides whether a host can load a kernel with kexec and boot it, and says for each
    obstacle what was found and what the remedy is.
  - Causes that the kernel answers with the same error, such as C(Operation not permitted), are told apart.
  - Kernel, initramfs and modules are checked to be whole and of one release.
  - Nothing is changed on the host.
  - The codes in RV(reasons[].code) are explained in
    R(the list of reasons, ansible_collections.alpinefleet.kexec.docsite.reasons).
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
  - alpinefleet.kexec._attributes.action_group
  - alpinefleet.kexec._image
  - alpinefleet.kexec._controller
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - This module never changes anything.
  idempotent:
    support: full
requirements:
  - Python 3.9 or newer on the host.
seealso:
  - module: alpinefleet.kexec.kexec_load
  - module: alpinefleet.kexec.kexec_reboot
"""

EXAMPLES = r"""
- name: Find out whether the host can reboot through kexec
  alpinefleet.kexec.kexec_preflight:
  register: preflight

- name: Say why not
  ansible.builtin.debug:
    msg: "{{ preflight.reasons | map(attribute='message') | list }}"
  when: not preflight.able

- name: Ask for another flavour on a platform that is known to hang
  alpinefleet.kexec.kexec_preflight:
    flavour: lts
    ignore_reasons:
      - platform_denied
"""

RETURN = r"""
able:
  description: Whether the host can reboot through kexec now.
  returned: always
  type: bool
  sample: false
method:
  description:
    - How a reboot with the default fallback would come up, V(kexec) or V(firmware).
    - It means nothing where a reason blocks V(reboot), because no reboot is ordered then.
  returned: always
  type: str
  sample: firmware
reasons:
  description: What was found, the gravest first.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: A stable code.
      returned: always
      type: str
      sample: kexec_locked
    message:
      description: What was found, and where.
      returned: always
      type: str
      sample: >-
        kernel.kexec_load_disabled was set to 1 after the boot by /etc/sysctl.d/99-hard.conf:3, and cannot be set back.
    remedy:
      description: What to do about it.
      returned: always
      type: str
      sample: "Remove that line from /etc/sysctl.d/99-hard.conf and reboot once through firmware."
    blocks:
      description:
        - V(nothing) is advice.
        - V(kexec) leaves a reboot through firmware open.
        - V(reboot) means that no reboot is safe, or that the request itself cannot be met.
      returned: always
      type: str
      sample: kexec
kernel:
  description: Path of the kernel that would be loaded, null if none could be chosen.
  returned: always
  type: str
  sample: /boot/vmlinuz-virt
initramfs:
  description: Paths of the initramfs files in the order in which they would be joined.
  returned: always
  type: list
  elements: str
  sample:
    - /boot/intel-ucode.img
    - /boot/initramfs-virt
release:
  description: Release of that kernel, null if neither its file nor a package names one.
  returned: always
  type: str
  sample: 6.18.56-0-virt
cmdline:
  description: The command line that the kernel would get, null if none could be built.
  returned: always
  type: str
  sample: root=UUID=0e5f4a3c-51b8-4dd5-9a70-0b5d8e3b6c11 rootfstype=ext4 quiet kexec_load_disabled=0
protection:
  description: What ends in a reboot through firmware by itself, without anybody who resets the host.
  returned: always
  type: dict
  sample:
    panic: true
    oops: true
    hang: false
    unconfirmed: false
    watchdog: null
  contains:
    panic:
      description: A panic of the new kernel, because RV(cmdline) sets a time with C(panic=).
      returned: always
      type: bool
      sample: true
    oops:
      description: An error of the new kernel that is not a panic, because RV(cmdline) has C(oops=panic).
      returned: always
      type: bool
      sample: true
    hang:
      description:
        - A new kernel that hangs, because a watchdog runs on over the jump and the service C(kexec-confirm) feeds it
          afterwards. Where it is false, the reason V(hang_uncovered) says why.
        - The reboot takes the watchdog only with a time for it, as in the option
          O(alpinefleet.kexec.kexec_load#module:watchdog_timeout).
      returned: always
      type: bool
      sample: false
    unconfirmed:
      description: A new system that the controller does not confirm, because the service C(kexec-confirm) is there.
      returned: always
      type: bool
      sample: false
    watchdog:
      description: The first watchdog of the host, null if there is none.
      returned: always
      type: dict
      sample:
        device: /dev/watchdog0
        driver: i6300esb
        timeout: 30
        survives: true
      contains:
        device:
          description: The device.
          returned: always
          type: str
          sample: /dev/watchdog0
        driver:
          description: The kernel module that drives it, null if it cannot be told.
          returned: always
          type: str
          sample: i6300esb
        timeout:
          description: The seconds that it waits now, null if it does not say.
          returned: always
          type: int
          sample: 30
        survives:
          description: Whether it runs on over the jump.
          returned: always
          type: bool
          sample: true
boot_id:
  description: The running boot, null if the host does not tell it.
  returned: always
  type: str
  sample: 3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77
uptime:
  description: Seconds that this boot had run when the module ended, null if the host does not tell it.
  returned: always
  type: float
  sample: 86400.52
stage:
  description: How far the work came, V(preflight) where an option cannot be used.
  returned: failure
  type: str
  sample: preflight
facts:
  description: What was read on the host, under stable names. A null value means that the host does not say.
  returned: always
  type: dict
  contains:
    available_memory:
      description: Memory that can be used without swapping, in bytes.
      returned: always
      type: int
      sample: 912345088
    boot_loader:
      description:
        - The boot loader whose configuration was read, V(extlinux), V(grub), V(limine), V(uboot) or V(raspberrypi).
          Null where there is none, or where it cannot be told which one boots the host.
      returned: always
      type: str
      sample: extlinux
    boot_loader_config:
      description: Path of that configuration.
      returned: always
      type: str
      sample: /boot/extlinux.conf
    cmdline_source:
      description: Where RV(cmdline) comes from.
      returned: always
      type: str
      sample: boot_loader
    container:
      description: The kind of container that the target is, null for a machine.
      returned: always
      type: str
      sample: null
    firmware_kernel:
      description: Path of the kernel that the boot loader boots next.
      returned: always
      type: str
      sample: /boot/vmlinuz-virt
    frozen:
      description: Whether kexec was locked behind an image that is loaded, and that image is the one that is meant.
      returned: always
      type: bool
      sample: false
    hardware_id:
      description:
        - The number that firmware gives this machine and no other, C(dmi:) with the product UUID of DMI or C(tree:)
          with the serial number of the device tree. Null where there is none.
      returned: always
      type: str
      sample: dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32
    hung:
      description:
        - The last jump into a loaded kernel, if the host did not come up in that kernel. Otherwise null.
        - It is judged by the note in C(/var/lib/alpinefleet-kexec/jump) and by the token on the running command line.
      returned: always
      type: dict
      sample:
        release: 6.18.56-0-virt
        time: "2026-11-26T05:40:57Z"
      contains:
        release:
          description: The release of the kernel that was loaded, null if the note does not say.
          returned: always
          type: str
          sample: 6.18.56-0-virt
        time:
          description: When the host jumped, null if the note does not say.
          returned: always
          type: str
          sample: "2026-11-26T05:40:57Z"
    flavour:
      description: The flavour that is meant.
      returned: always
      type: str
      sample: virt
    installed_releases:
      description: The release that each kernel package installed, by flavour.
      returned: always
      type: dict
      sample:
        virt: 6.18.56-0-virt
    kexec_load_disabled:
      description: The sysctl C(kernel.kexec_load_disabled).
      returned: always
      type: bool
      sample: false
    kexec_load_limit_reboot:
      description: How many more images may be loaded until the next boot, V(-1) for any number.
      returned: always
      type: int
      sample: -1
    kexec_tools_version:
      description: Version of the C(kexec) command.
      returned: always
      type: str
      sample: 2.0.32
    loaded:
      description: Whether the kernel holds an image.
      returned: always
      type: bool
      sample: false
    lock_settings:
      description:
        - Every line of C(/etc/sysctl.conf) and of the directories C(sysctl.d) that sets
          C(kernel.kexec_load_disabled), in the order in which OpenRC's service applies them.
        - A line with the value V(1) locks kexec again after each boot.
      returned: always
      type: list
      elements: dict
      sample:
        - path: /etc/sysctl.d/99-hard.conf
          line: 3
          value: "1"
      contains:
        path:
          description: The file.
          returned: always
          type: str
          sample: /etc/sysctl.d/99-hard.conf
        line:
          description: The number of the line, from 1 on.
          returned: always
          type: int
          sample: 3
        value:
          description: The first word of the value, as it is written there.
          returned: always
          type: str
          sample: "1"
    lockdown:
      description: The mode of kernel lockdown.
      returned: always
      type: str
      sample: none
    machine:
      description: The architecture, as C(uname -m) prints it.
      returned: always
      type: str
      sample: x86_64
    platform:
      description: What the firmware says of the machine.
      returned: always
      type: dict
      sample:
        sys_vendor: QEMU
    reboot_needed:
      description: Whether a reboot would bring another kernel, or modules that the running one lacks.
      returned: always
      type: bool
      sample: true
    reboot_needed_because:
      description: Why, in sentences.
      returned: always
      type: list
      elements: str
      sample:
        - 6.18.38-0-virt is running and 6.18.56-0-virt is installed.
    running_cmdline:
      description: The command line of the running kernel.
      returned: always
      type: str
      sample: BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 quiet initrd=initramfs-virt
    running_release:
      description: The release of the running kernel.
      returned: always
      type: str
      sample: 6.18.38-0-virt
    secure_boot:
      description: Whether UEFI Secure Boot is on.
      returned: always
      type: bool
      sample: false
    started_by_kexec:
      description:
        - Whether a kexec started the running kernel, which kernels of x86 report. Null on other machines.
        - It is true after each boot where the boot loader itself ends in a kexec, as ZFSBootMenu and LinuxBoot do.
      returned: always
      type: bool
      sample: false
    unlocked_after_firmware:
      description: Whether kexec will be unlocked after the next boot through firmware.
      returned: always
      type: bool
      sample: true
    unlocked_after_kexec:
      description: Whether kexec will be unlocked after the next boot through kexec.
      returned: always
      type: bool
      sample: true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import survey


def main() -> None:
    module = AnsibleModule(
        argument_spec=wish.PREFLIGHT_ARGUMENTS,
        mutually_exclusive=wish.MUTUALLY_EXCLUSIVE,
        required_if=wish.REQUIRED_IF,
        supports_check_mode=True,
    )
    _module.run(
        module,
        lambda host: {
            "changed": False,
            **survey.result(survey.survey(host, wish.wish_of(module.params))),
        },
    )


if __name__ == "__main__":
    main()

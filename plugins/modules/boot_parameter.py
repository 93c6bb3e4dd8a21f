#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_parameter
short_description: Set or remove kernel parameters in the boot loader's configuration
version_added: 1.0.0
description:
  - Sets or removes parameters of the kernel in the configured command line, and makes the boot loader's menu anew
    where one is generated. The parameters take effect with the next boot.
  - Comments, quotes, the order of parameters and everything else that was not asked for stay byte for byte.
  - Where the menu can be read, it is read afterwards. If its default entry is not as it was wanted, has lost its
    kernel, its initramfs or C(root=), or a command fails, settings and menu are put back and the task fails. An image
    that a command wrote in place, or half of it, is made again of the old settings then.
  - Settings that are programs, such as those that append to a variable, are refused and not guessed at.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The settings are shown, and not the menu that is generated from them.
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes the parameters be on the command line, at its end unless they are there already.
      - V(absent) removes every occurrence of each name, or those with O(value) where one is given.
    type: str
    choices:
      - present
      - absent
    default: present
  name:
    description:
      - Name of a parameter. Names compare as the kernel compares them, to which dashes and underscores are equal.
      - C(initrd) and C(BOOT_IMAGE) belong to the boot loader and are refused.
    type: str
  value:
    description:
      - Its value. Without one, the parameter is a bare word such as C(quiet).
      - A value with spaces gets its double quotes by itself. Double quotes and control characters are refused.
    type: str
  parameters:
    description: Several parameters at once, in the order in which new ones are added.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
        required: true
      value:
        description: As O(value).
        type: str
  multiple:
    description:
      - With V(false), the parameter has this one value afterwards. The last occurrence is changed where it stands,
        and earlier ones are removed.
      - With V(true), other values of it stay and this one is added if it is missing, as C(console) needs it.
      - It has no effect with O(state=absent).
    type: bool
    default: false
  boot_loader:
    description:
      - The boot loader whose configuration is edited.
      - V(auto) finds it by its files. If there are several, the kernel's own word for what started it decides, which it
        has on x86. Where that does not help, the task fails.
      - V(extlinux) edits C(default_kernel_opts) in C(/etc/update-extlinux.conf) and runs C(update-extlinux), or edits
        C(/boot/extlinux.conf) or C(syslinux.cfg) where there are no such settings, in the order in which extlinux looks
        for them.
      - V(grub) edits C(GRUB_CMDLINE_LINUX_DEFAULT) in C(/etc/default/grub), and C(GRUB_CMDLINE_LINUX) and
        C(/etc/update-extlinux.conf) for what stands there, and runs C(grub-mkconfig), or C(update-grub) where that is
        all there is.
      - V(limine) edits C(limine.conf) in the directories of C(/boot), C(/boot/efi), C(/efi) and C(/) in which limine
        looks for it. Its versions do not agree about the order, so that two such files are refused.
      - V(uboot) edits C(/boot/extlinux/extlinux.conf).
      - V(raspberrypi) edits C(/boot/cmdline.txt).
      - V(zipl) edits C(/etc/zipl.conf) and runs C(zipl).
      - V(efi_stub) edits C(/boot/startup.nsh).
      - V(uki) edits C(/etc/kernel-hooks.d/secureboot.conf) or the file that it names, and runs the hook of the package
        C(secureboot-hook) for each kernel.
      - V(syslinux) edits C(syslinux.cfg) on the boot medium of a diskless host. A medium that is mounted read-only is
        mounted writable for a moment.
    type: str
    choices:
      - auto
      - extlinux
      - grub
      - limine
      - uboot
      - raspberrypi
      - zipl
      - efi_stub
      - uki
      - syslinux
    default: auto
  backup:
    description: Whether to leave a copy of each file as it was, with the time in its name.
    type: bool
    default: false
notes:
  - A boot loader reads a file system without replaying its journal. What the module writes is therefore written back to
    its place on the disk before and after a file that the boot loader reads gets its name. A power cut while the task
    runs leaves the boot loader the old content or the new one, and after the task the new one.
    R(Boot files and power cuts,ansible_collections.alpinefleet.kexec.docsite.guide_prepare.power_cuts) tells
    what that takes on each file system, and what remains where a command of the host writes.
  - On XFS each change takes a minute or more, because the kernel's own time to write its log back is waited for.
    Nothing is ever frozen, so that a task that is killed leaves nothing frozen.
  - The file that was replaced last stays beside the new one, with a dot before its name and C(.boot-parameter-old)
    behind it, such as C(/boot/.extlinux.conf.boot-parameter-old), because the boot loader could be led to it until the
    new one was on the disk. The next change replaces it. It is left out on file systems without hard links, such as
    vfat, and where a command wrote the menu in place.
  - A task that is killed leaves whole files. The next one removes what it left beside them. As long as a command of the
    host goes on that the killed one had started, the next one is refused.
  - What C(zipl) and the hook of C(secureboot-hook) make cannot be read to see whether it is of the present settings.
    From before the settings are written until it is made and on the disk, an empty file beside them says that it is
    owed, such as C(/etc/.zipl.conf.boot-parameter-owed). If a task was killed in between, the next one that is to set
    or remove a parameter makes it, and returns C(changed=true) also where the settings need no change.
  - Owner, mode and extended attributes stay, such as access control lists and labels, but for C(security.ima) and
    C(security.evm), which are sums of the old content. A label that the security module lets nobody set is its own
    affair.
  - A file with further hard links is refused, because they would be left with the old content. So is one that is
    immutable, append-only, on a read-only file system, or under a mount of its own. Check mode refuses the same. Where
    a command of the host writes the menu itself, the hard links of the menu are up to it.
requirements:
  - Python 3.9 or newer on the host.
seealso:
  - module: alpinefleet.kexec.kexec_preflight
  - module: alpinefleet.kexec.kexec_reboot
"""

EXAMPLES = r"""
- name: Unlock kexec from the next boot on
  alpinefleet.kexec.boot_parameter:
    name: kexec_load_disabled
    value: "0"

- name: Reboot after a panic, and log to both consoles
  alpinefleet.kexec.boot_parameter:
    parameters:
      - name: panic
        value: "10"
      - name: console
        value: tty0
      - name: console
        value: ttyS0,115200
    multiple: true

- name: Show the messages of the boot
  alpinefleet.kexec.boot_parameter:
    name: quiet
    state: absent
"""

RETURN = r"""
boot_loader:
  description: The boot loader whose configuration was edited.
  returned: success
  type: str
  sample: extlinux
files:
  description: The files that hold the command line, edited or not.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/update-extlinux.conf
regenerated:
  description: Whether the menu was made anew, or would be in check mode.
  returned: success
  type: bool
  sample: true
backup_files:
  description: The copies that were left.
  returned: success
  type: list
  elements: str
  sample:
    - /etc/update-extlinux.conf.2731.2026-03-01@12.00.00~
reasons:
  description: What ended the work, with the keys that M(alpinefleet.kexec.kexec_preflight) describes.
  returned: failure
  type: list
  elements: dict
  sample:
    - code: boot_config_unwritable
      message: "/boot/cmdline.txt cannot be written: Read-only file system."
      remedy: "Mount the file system writable."
      blocks: nothing
stage:
  description: How far the work came, V(preflight), V(write) or V(regenerate).
  returned: failure
  type: str
  sample: regenerate
rc:
  description: Exit status of the command that makes the menu.
  returned: when the menu was not made
  type: int
  sample: 1
stdout:
  description: Output of that command.
  returned: when the menu was not made
  type: str
  sample: ""
stderr:
  description: Error output of that command.
  returned: when the menu was not made
  type: str
  sample: "update-extlinux: no kernel found"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import parameter
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import checkpoint


def main() -> None:
    module = AnsibleModule(
        argument_spec=parameter.ARGUMENTS, supports_check_mode=True, **parameter.RULES
    )
    _module.run(
        module,
        lambda host: parameter.ensure(
            host, lambda: parameter.wish_of(module.params), check_mode=module.check_mode
        ),
        checkpoint=checkpoint.checkpoint,
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kexec_load
short_description: Load a kernel for kexec, or unload it
version_added: 1.0.0
description:
  - Chooses kernel, initramfs and command line, checks that they are whole and belong together, and loads them
    into the running kernel with C(kexec-tools). M(alpinefleet.kexec.kexec_reboot) does this by itself.
  - The same checks as in M(alpinefleet.kexec.kexec_preflight) run first. If one of them fails, nothing is loaded.
  - The note of an earlier jump in C(/var/lib/alpinefleet-kexec/jump) is removed if the running kernel proves that jump.
    In check mode it stays.
  - Files that the kernel took over are noted in C(/run/alpinefleet-kexec/image.json), so that loading the same
    image again is no change. The kernel itself does not tell which image it holds.
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
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(loaded) makes the kernel hold the image.
      - V(unloaded) makes it hold none; the options about the image have no effect.
    type: str
    choices:
      - loaded
      - unloaded
    default: loaded
  token:
    description:
      - A value that is put on the command line as C(alpinefleet_kexec.token=VALUE).
        Found again in C(/proc/cmdline), it proves that this image runs.
      - Letters, digits, dots, dashes and underscores, at most 64 of them.
    type: str
  watchdog_timeout:
    description:
      - Seconds after which the host's watchdog is to reset it if the new kernel hangs, at most V(65535).
      - It takes a watchdog that runs on over the jump, and the service C(kexec-confirm) of the role
        P(alpinefleet.kexec.kexec_host#role), which feeds it in the new system. Where one of them is missing,
        RV(watchdog) is null, and the reason V(hang_uncovered) says what is.
      - This module starts no watchdog. It puts C(alpinefleet_kexec.watchdog=DRIVER,SECONDS) on the command line, and
        whoever jumps starts it.
    type: int
    default: 0
  confirm_timeout:
    description:
      - Seconds after its boot in which the new system must be confirmed, at most V(65535). If it is not, it reboots
        through firmware. The confirmation is the token, in C(/run/alpinefleet-kexec/confirmed).
      - It takes the service C(kexec-confirm); without it, and with V(0), nothing waits for a confirmation.
    type: int
    default: 0
requirements:
  - Python 3.9 or newer on the host.
  - The package C(kexec-tools) on the host.
seealso:
  - module: alpinefleet.kexec.kexec_preflight
  - module: alpinefleet.kexec.kexec_reboot
"""

EXAMPLES = r"""
- name: Load what the boot loader would boot next
  alpinefleet.kexec.kexec_load:

- name: Load a kernel of one's own, with microcode, and reboot after a panic
  alpinefleet.kexec.kexec_load:
    kernel: /boot/vmlinuz-test
    initramfs:
      - /boot/intel-ucode.img
      - /boot/initramfs-test
    cmdline_append:
      - panic=10

- name: Take the image out again
  alpinefleet.kexec.kexec_load:
    state: unloaded
"""

RETURN = r"""
loaded:
  description: Whether the kernel holds an image now.
  returned: success
  type: bool
  sample: true
able:
  description: Whether the host can reboot through kexec.
  returned: always
  type: bool
  sample: true
method:
  description:
    - How a reboot with the default fallback would come up, V(kexec) or V(firmware).
    - It means nothing where a reason blocks V(reboot), because no reboot is ordered then.
  returned: always
  type: str
  sample: kexec
reasons:
  description: What was found, as in M(alpinefleet.kexec.kexec_preflight).
  returned: always
  type: list
  elements: dict
  sample:
    - code: panic_hangs
      message: "The command line sets no time with panic=: a kernel panic early in the boot stops the host for good."
      remedy: "Set panic_timeout to a number of seconds, or add panic=10 to the boot loader's configuration."
      blocks: nothing
kernel:
  description: Path of the kernel.
  returned: always
  type: str
  sample: /boot/vmlinuz-virt
initramfs:
  description: Paths of the initramfs files in the order in which they are joined.
  returned: always
  type: list
  elements: str
  sample:
    - /boot/initramfs-virt
release:
  description: Release of that kernel.
  returned: always
  type: str
  sample: 6.18.56-0-virt
cmdline:
  description: The command line that the kernel gets.
  returned: always
  type: str
  sample: root=/dev/vda1 rootfstype=ext4 quiet kexec_load_disabled=0
token:
  description:
    - The token of an image that the service C(kexec-load) had loaded and locked before, and that was left as it is.
  returned: when such an image is loaded and is the one that is meant
  type: str
  sample: 5f2b6c0e-9d1a-4f3b-8c7d-6e5f4a3b2c1d
protection:
  description: What ends in a reboot through firmware by itself, as in M(alpinefleet.kexec.kexec_preflight).
  returned: always
  type: dict
  sample:
    panic: true
    oops: true
    hang: true
    unconfirmed: true
    watchdog:
      device: /dev/watchdog0
      driver: i6300esb
      timeout: 30
      survives: true
watchdog:
  description:
    - The watchdog that whoever jumps must leave running, null if there is none for this image. The image's command line
      tells the new system to feed it.
  returned: always
  type: dict
  sample:
    device: /dev/watchdog0
    driver: i6300esb
    timeout: 60
  contains:
    device:
      description: The device.
      returned: always
      type: str
      sample: /dev/watchdog0
    driver:
      description: The kernel module that drives it.
      returned: always
      type: str
      sample: i6300esb
    timeout:
      description: The seconds that it is to wait, which are fewer than O(watchdog_timeout) where it can wait no longer.
      returned: always
      type: int
      sample: 60
confirm:
  description: Seconds in which the new system must be confirmed, V(0) if nothing waits for it.
  returned: always
  type: int
  sample: 300
boot_id:
  description: The running boot.
  returned: always
  type: str
  sample: 3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77
uptime:
  description: Seconds that this boot had run when the module ended, null if the host does not tell it.
  returned: always
  type: float
  sample: 86400.52
facts:
  description: What was read on the host, as in M(alpinefleet.kexec.kexec_preflight).
  returned: always
  type: dict
  sample:
    boot_loader: extlinux
    running_release: 6.18.56-0-virt
stage:
  description: How far the work came, V(preflight) or V(load).
  returned: failure
  type: str
  sample: preflight
rc:
  description: Exit status of the C(kexec) command.
  returned: when the command failed
  type: int
  sample: 255
stdout:
  description: Output of the C(kexec) command.
  returned: when the command failed
  type: str
  sample: ""
stderr:
  description: Error output of the C(kexec) command.
  returned: when the command failed
  type: str
  sample: "kexec_load failed: Cannot allocate memory"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _module
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import ensure


def main() -> None:
    module = AnsibleModule(
        argument_spec=wish.LOAD_ARGUMENTS,
        mutually_exclusive=wish.MUTUALLY_EXCLUSIVE,
        required_if=wish.REQUIRED_IF,
        supports_check_mode=True,
    )
    _module.run(
        module,
        lambda host: ensure.ensure(
            host,
            module.params["state"],
            lambda: wish.wish_of(module.params),
            check_mode=module.check_mode,
        ),
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module: what it documents is an action plugin that runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: kexec_reboot
short_description: Reboot a host through kexec and prove it
version_added: 1.0.0
description:
  - Checks the host, loads the kernel that it is to boot, shuts OpenRC down cleanly and jumps into that kernel,
    past firmware and boot loader. Nothing needs to be installed on the host but Python and C(kexec-tools).
  - The reboot counts as done only when the host answers with a new boot_id and carries the one-time token of this
    reboot on its command line, or does not carry it after a reboot through firmware. The kernel release must be the
    expected one, wherever that is known beforehand. Then O(test_command) must succeed, and with O(health) the host
    must be well.
  - Where kexec is not possible, the reasons are reported and the host reboots through firmware, unless
    O(fallback=fail).
  - If a host does not come back, the task fails. Once the host was ordered to leave, the task never makes it
    unreachable, so that C(rescue), C(max_fail_percentage) and C(any_errors_fatal) take notice.
  - The codes in RV(alpinefleet.kexec.kexec_preflight#module:reasons[].code) are explained in
    R(the list of reasons, ansible_collections.alpinefleet.kexec.docsite.reasons).
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
  - alpinefleet.kexec._attributes.action_group
  - alpinefleet.kexec._image
attributes:
  check_mode:
    support: full
    details:
      - The preflight runs on the host, so that the predicted RV(method) and RV(reasons) are real ones.
  diff_mode:
    support: partial
    details:
      - The image that would be loaded is shown in check mode.
  idempotent:
    support: none
    details:
      - Every run reboots the host.
options:
  method:
    description:
      - How the host is to come up.
      - With V(firmware) no image is loaded, and one that is loaded is taken out before the reboot. The options about
        the image are checked, and the boot loader alone decides what is booted.
    type: str
    choices:
      - kexec
      - firmware
    default: kexec
  fallback:
    description:
      - What to do where kexec is not possible.
      - V(firmware) reboots through firmware, and accepts a host that came up through firmware although the image
        was loaded.
      - V(fail) changes nothing and fails with the remedy.
      - Where no reboot is safe, because the boot loader's own files are broken, the task fails in either case.
      - Where O(kernel) or O(flavour) names a kernel that firmware is not known to boot, V(firmware) has no effect.
        The task fails without a reboot if kexec is not possible, and it fails if the host comes up through firmware
        after the jump.
    type: str
    choices:
      - firmware
      - fail
    default: firmware
  reboot_timeout:
    description:
      - Seconds after which the host must be back and O(test_command) must have succeeded.
      - This one deadline covers everything from the order to leave on, but for O(post_reboot_delay). The checks and
        the loading before it have as much once more.
      - No option that is a time may be longer than a week.
    type: float
    default: 600
  connect_timeout:
    description:
      - Seconds after which one attempt to connect is given up, while the host is awaited. It is rounded to whole
        seconds, and 1 is the least.
    type: float
    default: 5
  pre_reboot_delay:
    description:
      - Seconds between the order to leave and the shutdown. The task waits for the host all the same.
      - It must be less than O(reboot_timeout) by at least 10 seconds, unless it is 0 or another task waits.
    type: float
    default: 0
  post_reboot_delay:
    description:
      - Seconds to wait after O(test_command) has succeeded, and before O(health) is looked at. Afterwards the host is
        asked whether it still runs the same boot.
    type: float
    default: 0
  shutdown_timeout:
    description:
      - Seconds after which a shutdown that hangs is ended. The file systems are then made read-only by the kernel
        and the host reboots through firmware.
      - The output of the shutdown goes to the host's console.
    type: float
    default: 120
  test_command:
    description:
      - Command that must succeed on the host before the task is done. It is repeated until it does.
    type: str
    default: whoami
  other_host_key:
    description:
      - What to do when the host's address answers with another host key than the one that the controller knows.
      - V(fail) ends the task at once, since no later answer would make that login safe.
      - V(wait) waits on until O(reboot_timeout). It is meant for a host whose initramfs has an ssh server with a key
        of its own, where somebody unlocks the root file system. The task never logs in there, and only the host with
        the key that is known proves the reboot.
    type: str
    choices:
      - fail
      - wait
    default: fail
  watchdog_timeout:
    description:
      - Seconds after which a hardware watchdog resets a host whose jump, or whose new kernel, hangs. V(0) leaves the
        watchdog alone.
      - It is used where RV(alpinefleet.kexec.kexec_preflight#module:protection) says that it runs on over the jump and
        that the new system feeds it.
      - It must be longer than the new kernel and its initramfs take.
    type: int
    default: 60
  confirm_timeout:
    description:
      - Seconds after its boot in which the new system must be told that it works. This task does so after
        O(test_command). V(0) has the host wait for nothing.
      - A host with the service C(kexec-confirm) of the role P(alpinefleet.kexec.kexec_host#role) that is not told goes
        back to firmware by itself, such as one whose ssh server or network does not come up.
      - Where it is longer than what O(reboot_timeout) leaves, the task fails first and the host comes back later.
    type: int
    default: 300
  health:
    description:
      - What must be well on the host before the task is done. Without this option nobody asks.
      - It is looked at after all else, and all of it again until nothing is wrong or C(timeout) is over. The new system
        has been told by then that it works, for the kernel is not to blame.
      - What is asked of the host is one command over the connection of the task, whatever is wanted.
    type: dict
    suboptions:
      services:
        description:
          - Whether each OpenRC service that was started before the reboot must be started again.
          - A service that was not started, or had crashed, is not asked for. Where the host cannot tell what runs, it
            is not rebooted (C(services_unknown)).
          - With O(wait_for) it is known from the order, so that the task with O(wait=false) needs this option, too.
        type: bool
        default: true
      required_services:
        description: Services that must be started, whether they were before or not.
        type: list
        elements: str
        default: []
      ignore_services:
        description: Services that need not be started.
        type: list
        elements: str
        default: []
      commands:
        description:
          - Commands that must succeed on the host.
          - Each is a list of words, or a text that is split into words as a shell does. Nothing in it is expanded.
          - Each has its share of what is left of C(timeout), and one second at least. Then it is ended and has failed.
          - What a command starts and leaves running must have its output redirected. Once the command has ended, nobody
            reads it, and whoever writes there is ended by that.
        type: list
        elements: raw
        default: []
      ports:
        description: TCP ports at which something on the host must listen, at whatever of its addresses.
        type: list
        elements: int
        default: []
      timeout:
        description:
          - Seconds after which all of it must be well. V(0) looks once.
          - They begin when the reboot is proven, and are no part of O(reboot_timeout).
        type: float
        default: 120
      stable_seconds:
        description:
          - Seconds after that begin at which the same boot must still run and all must be well once more. It has
            C(timeout) for that again. V(0) does not look again.
        type: float
        default: 0
  wait:
    description:
      - Whether to wait for the host and prove the reboot.
      - With V(false) the task ends when the host has taken the order, and RV(order) is what another task waits for
        with O(wait_for). Many hosts then reboot at the same time with few forks.
      - The task that waits is also the one that confirms. It must come to each host within O(confirm_timeout), or a
        host with the service C(kexec-confirm) goes back to firmware; give a fleet of thousands more of it.
    type: bool
    default: true
  wait_for:
    description:
      - The RV(order) of an earlier task with O(wait=false) for the same host. Nothing is checked, loaded or ordered;
        the task waits for that reboot and proves it. O(reboot_timeout) counts from the begin of this task.
      - The order of another host is refused, and so is the answer of another machine.
      - The options about the image, O(method) and O(fallback) have no effect; those of the earlier task hold.
      - In check mode nothing is waited for.
    type: dict
    suboptions:
      host:
        description: The host that was ordered to leave, by its name in the inventory or that of C(delegate_to).
        type: str
        required: true
      hardware_id:
        description: The number of that machine, which no other has.
        type: str
      method:
        description: How the host is to come up.
        type: str
        choices:
          - kexec
          - firmware
        required: true
      fallback:
        description: Whether a host that came up through firmware instead is accepted.
        type: str
        choices:
          - firmware
          - fail
        default: firmware
      token:
        description: The one-time value of that reboot.
        type: str
        required: true
      boot_id:
        description: The boot that the host was ordered to leave.
        type: str
        required: true
      expires:
        description: The uptime of that boot, in seconds, at which an order that has not begun is void.
        type: int
        required: true
      mark:
        description: The value by which the host tells whose shutdown it is.
        type: str
        required: true
      release:
        description: The kernel release that is expected after kexec.
        type: str
      firmware_release:
        description: The kernel release that is expected after a boot through firmware.
        type: str
      loader_ends_in_kexec:
        description: Whether the boot loader itself ends in a kexec, so that one proves nothing.
        type: bool
        default: false
      acknowledged:
        description: Whether the host said that it took the order.
        type: bool
        default: false
      running_release:
        description: The kernel release that ran before.
        type: str
      running_cmdline:
        description: The command line of the kernel that ran before.
        type: str
      services:
        description: The OpenRC services that were started before, null where O(health) did not ask for them.
        type: list
        elements: str
requirements:
  - Python 3.9 or newer on the host.
  - The package C(kexec-tools) on the host, for O(method=kexec).
seealso:
  - module: alpinefleet.kexec.kexec_preflight
  - module: alpinefleet.kexec.kexec_load
  - module: ansible.builtin.reboot
"""

EXAMPLES = r"""
- name: Reboot through kexec where that is possible
  alpinefleet.kexec.kexec_reboot:

- name: Reboot through kexec or not at all
  alpinefleet.kexec.kexec_reboot:
    fallback: fail

- name: Boot another flavour, and come back through firmware if it panics
  alpinefleet.kexec.kexec_reboot:
    flavour: lts
    cmdline_append:
      - panic=10
    reboot_timeout: 180

- name: Reboot through firmware, with the same proof
  alpinefleet.kexec.kexec_reboot:
    method: firmware

- name: Reboot, and see that what ran before runs again and the web server answers
  alpinefleet.kexec.kexec_reboot:
    health:
      commands:
        - nginx -t
      ports:
        - 443
      stable_seconds: 30

- name: Order the reboot of many hosts
  alpinefleet.kexec.kexec_reboot:
    wait: false
  register: reboot

- name: Wait for all of them together
  alpinefleet.kexec.kexec_reboot:
    wait_for: "{{ reboot.order }}"
"""

RETURN = r"""
rebooted:
  description:
    - Whether the host runs another boot than before, null if that is not known, as with O(wait=false).
    - It is false only where it is known that nothing will come of the order either. While a shutdown goes on, this
      task's or another one, it is null.
  returned: always
  type: bool
  sample: true
order:
  description:
    - What was ordered, or would be in check mode, for O(wait_for) of another task. It has the keys of that option.
  returned: success, with O(wait=false), and if Ansible ended the task after the order
  type: dict
  sample:
    host: web1
    hardware_id: dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32
    method: kexec
    fallback: firmware
    token: 5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d
    boot_id: 3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77
    expires: 86420
    mark: 0a1b2c3d4e5f60718293a4b5c6d7e8f9
    release: 6.18.56-0-virt
    firmware_release: 6.18.56-0-virt
    loader_ends_in_kexec: false
    acknowledged: true
    running_release: 6.18.38-0-virt
    running_cmdline: BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 quiet initrd=initramfs-virt
    services: null
said:
  description: What the host said instead of its acknowledgement, with the keys RV(rc), RV(stdout) and RV(stderr).
  returned: success, outside check mode, with O(wait=false), if the order was not acknowledged
  type: dict
  sample:
    rc: 126
    stdout: ""
    stderr: "sh: setsid: not found"
method:
  description:
    - How the host came up, V(kexec) or V(firmware).
    - In check mode how it would come up, and with O(wait=false) how it was ordered to.
    - If the task failed it is null, unless another boot has answered and its way is known.
  returned: always
  type: str
  sample: kexec
reasons:
  description: What the preflight found, as in M(alpinefleet.kexec.kexec_preflight).
  returned: always
  type: list
  elements: dict
  sample:
    - code: kexec_locked
      message: "kernel.kexec_load_disabled is 1: the running kernel was booted without kexec_load_disabled=0."
      remedy: "Add kexec_load_disabled=0 to the boot loader's configuration and reboot once through firmware."
      blocks: kexec
reason:
  description:
    - Why the task failed, with the keys of RV(reasons).
    - C(blocks) is the level of that reason. It is V(kexec) where O(fallback=fail) forbids the reboot
      through firmware that is still open.
  returned: failure
  type: dict
  sample:
    code: did_not_return
    message: The host went down and did not come back within 600 seconds.
    remedy: Look at its console; a reset or a power cycle boots the boot loader's default.
    blocks: reboot
stage:
  description:
    - How far the work came, one of V(preflight), V(load), V(trigger), V(shutdown), V(down), V(verify),
      V(test_command), V(confirm) and V(health).
  returned: failure
  type: str
  sample: down
last_error:
  description: The last thing that was heard from the host, or from the client that tried to reach it.
  returned: failure, if the host was waited for until the deadline, or refused the login
  type: str
  sample: "ssh: connect to host 192.0.2.7 port 22: Connection timed out"
unhealthy:
  description:
    - What is wrong on the host, in the order of the suboptions of O(health).
    - Of a command that failed it has the exit status and the last line that it printed, up to 200 bytes.
    - A host that gave no answer when it was asked last has that as its only element.
  returned: failure, if O(health) found something
  type: list
  elements: str
  sample:
    - service nginx
    - "command nginx -t: exit status 1: nginx: configuration file /etc/nginx/nginx.conf test failed"
    - port 443
rc:
  description: Exit status of the command that failed.
  returned: failure, if the order to leave, the test command or the confirmation failed with an answer
  type: int
  sample: 1
stdout:
  description: Output of that command.
  returned: failure, if the order to leave, the test command or the confirmation failed with an answer
  type: str
  sample: ""
stderr:
  description: Error output of that command.
  returned: failure, if the order to leave, the test command or the confirmation failed with an answer
  type: str
  sample: "sh: setsid: not found"
boot_id:
  description: The boot before and after.
  returned: always
  type: dict
  contains:
    before:
      description: The boot that ran when the task began.
      returned: always
      type: str
      sample: 3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77
    after:
      description: The boot that runs now, null if that is not known. A failed task has it once another boot answered.
      returned: always
      type: str
      sample: d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1
release:
  description: The kernel release before and after; in check mode the release that is expected.
  returned: always
  type: dict
  contains:
    before:
      description: The release that ran when the task began.
      returned: always
      type: str
      sample: 6.18.38-0-virt
    after:
      description: The release that runs now, null if it is not known. A failed task has it once another boot answered.
      returned: always
      type: str
      sample: 6.18.56-0-virt
cmdline:
  description: The kernel command line before and after.
  returned: always
  type: dict
  contains:
    before:
      description: The command line when the task began.
      returned: always
      type: str
      sample: BOOT_IMAGE=vmlinuz-virt root=/dev/vda1 quiet kexec_load_disabled=0 initrd=initramfs-virt
    after:
      description: The command line now, with the token in it after a kexec. Null if it is not known.
      returned: always
      type: str
      sample: root=/dev/vda1 quiet kexec_load_disabled=0 alpinefleet_kexec.token=5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d
token:
  description: The one-time value of this reboot, null if the host came up through firmware.
  returned: success, outside check mode, with O(wait=true)
  type: str
  sample: 5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d
downtime:
  description:
    - Seconds from the last answer of the old system to the first answer of the new one. Null if the task failed, in
      check mode, with O(wait=false), and with O(wait_for) if the old system did not answer any more.
  returned: always
  type: float
  sample: 6.41
elapsed:
  description: Seconds that the whole task took.
  returned: always
  type: float
  sample: 9.87
timings:
  description: Seconds per phase.
  returned: always
  type: dict
  contains:
    trigger:
      description: Until the host had taken the order to leave.
      returned: success, outside check mode, with neither O(wait=false) nor O(wait_for)
      type: float
      sample: 0.11
    shutdown:
      description: Until the host stopped answering.
      returned: success, outside check mode, with O(wait=true)
      type: float
      sample: 2.4
    down:
      description: Until the new system answered.
      returned: success, outside check mode, with O(wait=true)
      type: float
      sample: 5.9
    verify:
      description: Until the test command had succeeded and the host was well, with the delay between.
      returned: success, outside check mode, with O(wait=true)
      type: float
      sample: 0.35
"""

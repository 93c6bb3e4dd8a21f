# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action of the same name does all of it; this file is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: host_step
short_description: One step of a role around the reboot of a host
version_added: 1.0.0
description:
  - The roles P(alpinefleet.kexec.kexec_host#role), P(alpinefleet.kexec.kernel_upgrade#role) and
    P(alpinefleet.kexec.rolling_upgrade#role) have these steps between the tasks that change something on the host, and
    the playbook C(audit) asks its hosts with one. It is of no use without them, and its options may change with any
    release.
  - A step that asks the host does so with M(alpinefleet.kexec.kexec_preflight). Nothing is changed on the host.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: full
    details:
      - After the step V(booted) a reboot is still required in check mode, because it was only predicted.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  step:
    description:
      - What the role has come to.
      - V(begin) is the first one of each role, V(broke) is that of their C(rescue), and V(end) the last one, which
        fails if the role has failed.
      - V(turn) fails where a playbook of this collection was begun in the middle, as V(begin) does.
      - V(look) returns what M(alpinefleet.kexec.kexec_preflight) does, of a host that must not be the controller.
      - V(able), V(lead), V(must_boot), V(booted) and V(verify) are for a host that is made able, V(restore), V(lead),
        V(as_before) and V(must_boot) for one of which everything is taken back.
      - V(foresee), V(upgraded) and V(decide) are for a host before and after its packages are upgraded.
      - V(in_time), V(earlier), V(choose), V(armed), V(jump), V(tried), V(proof) and V(committed) are for a host that
        tries a kernel, V(take_back), V(leave), V(taken_back) and V(stuck) for one that goes back.
    type: str
    required: true
    choices:
      - turn
      - begin
      - look
      - broke
      - end
      - able
      - lead
      - restore
      - as_before
      - must_boot
      - booted
      - verify
      - foresee
      - upgraded
      - decide
      - in_time
      - earlier
      - choose
      - armed
      - jump
      - tried
      - proof
      - committed
      - take_back
      - leave
      - taken_back
      - stuck
  wanted:
    description:
      - What M(alpinefleet.kexec.freeze_variables) returned, for the steps V(able), V(lead), V(must_boot), V(decide),
        V(in_time), V(choose), V(armed) and V(jump).
    type: dict
    default: {}
  so_far:
    description:
      - What the step before returned that had this option, or V(begin), for the steps V(must_boot), V(booted),
        V(verify), V(choose), V(armed), V(tried), V(committed), V(take_back), V(taken_back), V(stuck), V(broke) and
        V(end).
    type: dict
    default: {}
  mark:
    description: What is put before a line that is commented out, for the step V(able).
    type: str
    default: ""
  reboot_command:
    description: What C(ansible.builtin.stat) returned of C(/sbin/reboot), for the steps V(able) and V(lead).
    type: dict
    default: {}
  kept:
    description:
      - What M(alpinefleet.kexec.host_origin) returned first, for the steps V(lead), V(restore) and V(must_boot).
    type: dict
    default: {}
  slots:
    description:
      - What C(ansible.builtin.find) returned of folders in C(/boot), for the step V(restore).
      - What M(alpinefleet.kexec.kernel_slot) returned, for the steps V(choose) and V(proof).
    type: dict
    default: {}
  compared:
    description: What M(alpinefleet.kexec.host_origin) returned at the end, for the step V(as_before).
    type: dict
    default: {}
  verified:
    description: What C(rc-service kexec-load verify) came to, for the step V(verify).
    type: dict
    default: {}
  noted:
    description:
      - What the entry point C(note) of P(alpinefleet.kexec.fast_reboot#role) left, for the steps V(foresee), V(decide)
        and V(in_time).
    type: dict
    default: {}
  needs:
    description: What a host must be able to do besides to reboot at all, for the step V(foresee).
    type: list
    elements: str
    choices:
      - kexec
    default: []
  upgrades:
    description: What the tasks returned that have asked C(apk) to upgrade packages, for the step V(upgraded).
    type: list
    elements: dict
    default: []
  upgraded:
    description: What the step V(upgraded) returned, for the step V(choose).
    type: dict
    default: {}
  found:
    description:
      - What M(alpinefleet.kexec.kernel_trial) returned last, for the steps V(earlier), V(armed), V(jump), V(proof),
        V(committed), V(take_back), V(leave) and V(taken_back).
    type: dict
    default: {}
  boots:
    description: Whether the role settles or reboots each host, for the step V(begin).
    type: bool
    default: false
  follows:
    description: Whether another boot of the same run came before, for the step V(proof).
    type: bool
    default: false
  waited:
    description: Whether a host on its way back was waited for, for the step V(take_back).
    type: bool
    default: false
  reboot:
    description:
      - The variable C(fast_reboot_result), for the steps V(broke) and V(end), which heed it where the role has rebooted
        the host or tried to, for V(begin), to tell an earlier one from that, and for V(tried), V(take_back) and
        V(taken_back).
    type: raw
    default: {}
seealso:
  - module: alpinefleet.kexec.fast_reboot_step
  - module: alpinefleet.kexec.kexec_preflight
"""

EXAMPLES = r"""
- name: Make the host able with the role that has these steps
  ansible.builtin.include_role:
    name: alpinefleet.kexec.kexec_host
"""

RETURN = r"""
failure:
  description: What the role has failed by, empty if it has not.
  returned: for the steps that have O(so_far), and V(begin)
  type: str
  sample: ""
booted:
  description: Whether the role has rebooted the host.
  returned: for the steps V(begin), V(must_boot), V(booted) and V(broke)
  type: bool
  sample: false
reboot_required:
  description: Whether a reboot through firmware is missing, null as long as nobody knows.
  returned: for the steps V(begin), V(must_boot), V(booted), V(broke) and V(end)
  type: bool
  sample: true
boots:
  description: Whether the role is to make a reboot now.
  returned: for the steps V(must_boot) and V(leave)
  type: bool
  sample: false
boot:
  description: What that boot is, for C(fast_reboot_boot) of P(alpinefleet.kexec.fast_reboot#role).
  returned: for the steps V(jump), V(proof) and V(leave)
  type: dict
  sample:
    method: firmware
    follows: true
upgraded:
  description: Whether packages have changed.
  returned: for the step V(upgraded)
  type: bool
  sample: true
packages:
  description: Which packages have.
  returned: for the step V(upgraded)
  type: list
  elements: str
  sample:
    - linux-virt
way:
  description: The file of tasks that is next, empty if none.
  returned: for the steps V(earlier) and V(take_back)
  type: str
  sample: finish
back:
  description: The one by which a trial is taken back that nobody wants any more, empty if none.
  returned: for the step V(earlier)
  type: str
  sample: ""
cause:
  description: What is said to have ended a trial, empty if the host can tell itself.
  returned: for the steps V(earlier) and V(take_back)
  type: str
  sample: required_check
waits:
  description: How many seconds a host is to be waited for that its guard takes back, 0 if it is not.
  returned: for the step V(take_back)
  type: int
  sample: 0
words:
  description: What people are told at once, empty if nothing.
  returned: for the steps V(choose) and V(armed)
  type: str
  sample: ""
again:
  description: Whether the trial is to be armed once more, without a proof.
  returned: for the step V(armed)
  type: bool
  sample: false
starts_cold:
  description: Whether firmware must start the machine for something else that has changed.
  returned: for the step V(committed)
  type: bool
  sample: false
told:
  description: What the result of the role says besides the reboot.
  returned: for the steps that have O(so_far), and V(begin)
  type: dict
  sample:
    way: trial
account:
  description: The result of the reboot that the result of the role tells of, where another one may follow.
  returned: for the steps that have O(so_far), and V(begin)
  type: dict
  sample: {}
left:
  description: What stands against kexec besides, in sentences.
  returned: for the steps V(must_boot) and V(booted)
  type: str
  sample: ""
earlier:
  description: What tells the result of an earlier reboot from one by this role, empty if there was none.
  returned: for the steps V(begin), V(must_boot), V(booted) and V(broke)
  type: str
  sample: ""
nonce:
  description:
    - A value that no host is told, so that none can say just what a step has left. It begins with the moment in
      nanoseconds, by a clock that is of use within one run only.
  returned: always
  type: str
  sample: 2a1f5d3c90e7-9f2c41d07ab35e68
warning:
  description: What the operator is to be told, empty if nothing.
  returned: for the steps V(able), V(restore), V(must_boot) and V(decide)
  type: str
  sample: ""
parameters:
  description: The option C(parameters) of M(alpinefleet.kexec.boot_parameter).
  returned: for the step V(able)
  type: list
  elements: dict
  sample:
    - name: kexec_load_disabled
      value: "0"
edits:
  description: The options of C(ansible.builtin.replace) that comment out the lines which lock kexec after the boot.
  returned: for the step V(able)
  type: list
  elements: dict
  sample:
    - path: /etc/sysctl.d/99-hard.conf
      regexp: '\A((?:[^\n]*\n){2})(?=[^\n]*kexec_load_disabled)'
      replace: '\g<1># alpinefleet.kexec: '
leads_to:
  description: Where the link C(/sbin/reboot) is to lead, empty if it stays as it is.
  returned: for the step V(lead)
  type: str
  sample: kexec-reboot
restores:
  description: The options of M(alpinefleet.kexec.boot_parameter) that bring parameters back, a task each.
  returned: for the step V(restore)
  type: list
  elements: dict
  sample:
    - state: absent
      parameters:
        - name: kexec_load_disabled
removes_package:
  description: Whether C(kexec-tools) came with the role.
  returned: for the step V(restore)
  type: bool
  sample: true
reboots:
  description: Whether the host is to reboot after it was upgraded.
  returned: for the step V(decide)
  type: bool
  sample: true
done:
  description: Whether the role came to its end.
  returned: for the step V(end)
  type: bool
  sample: true
"""

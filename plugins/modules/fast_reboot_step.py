#!/usr/bin/python
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action of the same name does all of it; this file is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: fast_reboot_step
short_description: One step of the role fast_reboot
version_added: 1.0.0
description:
  - The role P(alpinefleet.kexec.fast_reboot#role) is made of these steps, with the files of tasks of the user between
    them. It is of no use without the role, and its options may change with any release.
  - To reboot a host from a playbook of one's own, use M(alpinefleet.kexec.kexec_reboot) or the role.
  - A step of a run returns what is known of the host so far, with the keys of the result of
    M(alpinefleet.kexec.kexec_reboot) and those below.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: full
    details:
      - What would be done to the host is predicted. Nothing that an earlier run has left is waited for.
  diff_mode:
    support: partial
    details:
      - The image that is loaded is shown once, where the reboot is ordered or predicted. What a host remembers is not.
  idempotent:
    support: none
    details:
      - Every run of the role reboots the host.
options:
  step:
    description: What the role has come to.
    type: str
    required: true
    choices:
      - recall
      - note
      - begin
      - begin_undrain
      - settle
      - set_aside
      - drain
      - note_drained
      - leave
      - wait
      - power_cycle
      - wait_after_reset
      - look
      - begin_file
      - end_file
      - undrain
      - note_undrained
      - note_failed_handler
      - note_failed_reset
      - note_failed_file
      - note_failure
      - end
  changes:
    description:
      - What is to be in place of some of the variables of the role, by their names without its prefix, for the steps
        with which a run begins. Those steps read the variables themselves.
    type: raw
    default: ""
  frozen:
    description:
      - What the step V(note) returned, for the steps V(begin), V(begin_undrain) and V(settle) of a role that noted it
        before.
    type: raw
    default: ""
  changed:
    description: Whether something was changed on the host before, for the step V(settle).
    type: bool
    default: false
  boot:
    description:
      - What another role wants of this one boot, for the steps V(begin) and V(settle), as the role's
        C(fast_reboot_boot). With none it is as the variables say.
    type: raw
  run:
    description: How far the run is, as the step before returned it.
    type: dict
    default: {}
seealso:
  - module: alpinefleet.kexec.kexec_reboot
"""

EXAMPLES = r"""
- name: Ask the host what it remembers of the role
  alpinefleet.kexec.fast_reboot_step:
    step: recall

- name: Reboot the host with the role that is made of these steps
  ansible.builtin.include_role:
    name: alpinefleet.kexec.fast_reboot
"""

RETURN = r"""
done:
  description: Whether all is well and nothing is left to do.
  returned: always, but for the step V(recall); null for V(set_aside)
  type: bool
  sample: true
run:
  description: How far the run is, for the next step.
  returned: always, but for the steps V(recall) and V(end); null for V(set_aside)
  type: dict
  sample:
    next: undrain
undrain:
  description: The hooks that are to be undone now, in that order; none where another step is next.
  returned: always, but for the steps V(recall), V(set_aside) and V(end)
  type: list
  elements: str
  sample:
    - balancer
stage:
  description: Where the run is or has failed, null at its end.
  returned: for a step of a run
  type: str
  sample: health
reason:
  description: Why the run failed, null if it did not. With the keys of RV(ignore:reasons).
  returned: for a step of a run
  type: dict
  sample:
    code: unhealthy
    message: "The host came back and is not well: service nginx."
    remedy: Mend it on the host, and undrain the host then.
    blocks: reboot
drained:
  description: The hooks that have drained the host.
  returned: for a step of a run
  type: list
  elements: str
  sample:
    - balancer
unhealthy:
  description: What is not well.
  returned: for a step of a run
  type: list
  elements: str
  sample:
    - service nginx
rungs:
  description: The ways of a reboot that were tried, each with the code of what it failed by.
  returned: for a step of a run
  type: list
  elements: dict
  sample:
    - method: kexec
      reason: did_not_return
    - method: power_cycle
      reason: null
taken_over:
  description: What an earlier run has left on the host, null if nothing.
  returned: for a step of a run
  type: dict
  sample:
    progress: unhealthy
    drained:
      - balancer
    unhealthy:
      - service nginx
power_cycle_command:
  description: The words of the command that resets a host, which no other step is handed.
  returned: for the steps V(note), V(begin), V(begin_undrain) and V(settle)
  type: list
  elements: str
  sample: []
looked_after:
  description: That the host was seen to before its turn.
  returned: for the step V(set_aside)
  type: bool
  sample: true
remembered:
  description: What the host remembers of the role, null if nothing.
  returned: for the step V(recall)
  type: dict
  sample:
    run_id: 5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d
    progress: unhealthy
    drained:
      - balancer
    unhealthy:
      - service nginx
mistaken:
  description: That Ansible has taken a file of the role for one that somebody else's file includes.
  returned: for the step V(recall), where it fails by that
  type: bool
  sample: true
nonce:
  description:
    - A value that no host is told, so that none can say just what a step has left. It begins with the moment in
      nanoseconds, by a clock that is of use within one run only.
  returned: always
  type: str
  sample: 2a1f5d3c90e7-9f2c41d07ab35e68
"""

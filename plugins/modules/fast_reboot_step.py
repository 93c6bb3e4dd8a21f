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
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: full
    details:
      - What would be done to the host is predicted.
  diff_mode:
    support: none
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
  wanted:
    description: The variables of the role, without their prefix, for the steps V(note) and V(begin).
    type: dict
    default: {}
  frozen:
    description: What the step V(note) returned, for the step V(begin) of a role that noted it before.
    type: dict
    default: {}
  changed:
    description: Whether something was changed on the host before, for the step V(settle).
    type: bool
    default: false
  run:
    description: How far the run is, as the step before returned it.
    type: dict
    default: {}
seealso:
  - module: alpinefleet.kexec.kexec_reboot
"""

EXAMPLES = r"""
- name: Reboot the host with the role that is made of these steps
  ansible.builtin.include_role:
    name: alpinefleet.kexec.fast_reboot
"""

RETURN = r"""
done:
  description: Whether all is well and nothing is left to do.
  returned: always, but for the step V(recall)
  type: bool
  sample: true
run:
  description: How far the run is, for the next step.
  returned: always, but for the steps V(recall) and V(end)
  type: dict
  sample:
    next: undrain
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
"""

#!/usr/bin/python
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action of the same name does all of it; this file is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_step
short_description: One step of a playbook for all of its hosts
version_added: 1.0.0
description:
  - The playbooks of this collection have these steps around their roles. No host is asked anything. It is of no use
    without the playbooks, and its options may change with any release.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: partial
    details:
      - No host is changed in either mode. A report that was asked for is written in check mode, too.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - A report is written each time, and that counts for no change.
options:
  step:
    description: What the playbook has come to.
    type: str
    required: true
    choices:
      - guard
      - check_output
      - brake
      - report
      - report_remembered
      - audit
  hosts_variable:
    description: The variable by which a playbook is told its hosts, for the step V(guard).
    type: str
    default: ""
  batch_sizes:
    description: The sizes of the batches to come, for the step V(guard).
    type: raw
    default: 1
  error_budget:
    description: How many hosts that are not well do not end the play yet, or which share, for the step V(brake).
    type: raw
    default: 0
  of_role:
    description: The role that the playbook is for, for the step V(report).
    type: str
    choices:
      - fast_reboot
      - kexec_host
      - kernel_upgrade
      - rolling_upgrade
    default: fast_reboot
  output:
    description: A file on the controller for the report, for all steps but V(brake); none if it is empty.
    type: raw
    default: ""
  strict:
    description: Whether the step V(audit) fails where a host cannot reboot through kexec now.
    type: bool
    default: false
seealso:
  - module: alpinefleet.kexec.fast_reboot_step
"""

EXAMPLES = r"""
- name: End the play here if more than a twentieth of its hosts is not well
  alpinefleet.kexec.fleet_step:
    step: brake
    error_budget: 5%
  run_once: true

- name: Upgrade hosts in batches with the playbook that has these steps
  ansible.builtin.import_playbook: alpinefleet.kexec.rolling_upgrade
"""

RETURN = r"""
output:
  description: The absolute path of the file that a report will be written to, empty if none is wanted.
  returned: for the steps V(guard) and V(check_output)
  type: str
  sample: /srv/reports/reboot.json
msg:
  description: A table of the hosts, in lines.
  returned: for the steps V(report), V(report_remembered) and V(audit)
  type: list
  elements: str
  sample:
    - "HOST  OUTCOME  METHOD  DOWNTIME  KERNEL BEFORE   AFTER           DRAINED  WRONG"
    - "web1  done     kexec   5.5 s     6.18.38-0-virt  6.18.56-0-virt  -        -"
    - ""
    - "hosts 1: done 1, failed 0, away 0, waiting 0"
table:
  description: That table, where RV(msg) says why the step has failed.
  returned: for the steps V(report), V(report_remembered) and V(audit), if they fail
  type: list
  elements: str
  sample:
    - "HOST  VERDICT   KERNEL          BOOT LOADER  REBOOT NEEDED  REASONS"
    - "web1  firmware  6.18.56-0-virt  extlinux     no             kexec_locked"
not_well:
  description: The hosts that failed, do not answer or are not well.
  returned: for the step V(brake)
  type: list
  elements: str
  sample:
    - web2
counted:
  description: How many hosts of the play had had their turn. What came of it is not read again before later batches.
  returned: for the step V(brake), if it does not fail
  type: int
  sample: 1
gone:
  description: The hosts that had left the play.
  returned: for the step V(brake), if it does not fail
  type: list
  elements: str
  sample: []
hosts:
  description: What tells the hosts of the play from those of an inventory that has changed since.
  returned: for the step V(brake), if it does not fail
  type: str
  sample: 5feceb66ffc86f38
play:
  description: What tells the play from others of the same run. Empty if it has an C(order) of its own.
  returned: for the step V(brake), if it does not fail
  type: str
  sample: 5254003f-2a4e-9d1c-7b6a-00000000000a
of_play:
  description: The same, whatever order the play has. The roles look for it before they do anything to a host.
  returned: for the step V(brake), if it does not fail
  type: str
  sample: 5254003f-2a4e-9d1c-7b6a-00000000000a
summary:
  description: How many hosts there are of each kind, as P(alpinefleet.kexec.audit_report#filter) has them.
  returned: for the step V(audit)
  type: dict
  sample:
    hosts: 3
    kexec: 3
nonce:
  description:
    - A value that no host is told, so that none can say just what a step has left. It begins with the moment in
      nanoseconds, by a clock that is of use within one run only.
  returned: always
  type: str
  sample: 2a1f5d3c90e7-9f2c41d07ab35e68
"""

#!/usr/bin/python
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The action of the same name does all of it; this file is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: freeze_variables
short_description: Take the variables of a role or a playbook once
version_added: 1.0.0
description:
  - The roles of this collection take their variables with this task before they ask the host anything, so that nothing
    that a host says can change them. It is of no use without the roles, and its options may change with any release.
  - Wrong values, names that the role does not have, and a host that has said facts of such names are refused.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
extends_documentation_fragment:
  - alpinefleet.kexec._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  role:
    description: The role, or the playbook with variables of its own.
    type: str
    required: true
    choices:
      - kexec_host
      - kernel_upgrade
      - rolling_upgrade
      - audit
  wanted:
    description: Its variables, without their prefix.
    type: dict
    required: true
seealso:
  - module: alpinefleet.kexec.fast_reboot_step
"""

EXAMPLES = r"""
- name: Take the variables as they are before the host is asked
  alpinefleet.kexec.freeze_variables:
    role: rolling_upgrade
    wanted:
      packages: "{{ rolling_upgrade_packages }}"
      reboot: "{{ rolling_upgrade_reboot }}"

- name: Make the host able with the role that begins with this task
  ansible.builtin.include_role:
    name: alpinefleet.kexec.kexec_host
"""

RETURN = r"""
wanted:
  description: The variables in the form that they have.
  returned: success
  type: dict
  sample:
    packages: []
    reboot: auto
nonce:
  description:
    - A value that no host is told, so that none can say just what a step has left. It begins with the moment in
      nanoseconds, by a clock that is of use within one run only.
  returned: always
  type: str
  sample: 2a1f5d3c90e7-9f2c41d07ab35e68
"""

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_report
short_description: Make one report of the preflights of many hosts
version_added: 1.0.0
description:
  - Takes what M(alpinefleet.kexec.kexec_preflight) returned on each host and makes one report of it, with a verdict,
    the reasons and their remedies for every host.
  - A host that failed or could not be reached is in the report, too.
  - What a host returned is not trusted. A result of another form makes the host a failed one (C(answer_invalid)), long
    texts are cut, and control characters are taken out.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
options:
  _input:
    description:
      - The registered result of each host, by the host's name.
      - An empty dictionary, for a host without a result, makes it a failed one.
    type: dict
    required: true
seealso:
  - plugin: alpinefleet.kexec.audit_table
    plugin_type: filter
  - module: alpinefleet.kexec.kexec_preflight
"""

EXAMPLES = r"""
- name: Ask every host
  alpinefleet.kexec.kexec_preflight:
  register: preflight
  ignore_errors: true
  ignore_unreachable: true

- name: Say how many hosts can reboot through kexec
  ansible.builtin.debug:
    msg: "{{ (results | alpinefleet.kexec.audit_report).summary.kexec }}"
  vars:
    results: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'preflight'))) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    version:
      description: The version of this form. It is raised when a key changes its meaning or goes away.
      type: int
      sample: 1
    summary:
      description:
        - How many hosts there are in V(hosts), how many have each verdict, and how many need a reboot in
          V(reboot_needed).
      type: dict
      sample:
        hosts: 3
        kexec: 1
        firmware: 1
        refused: 0
        failed: 0
        unreachable: 1
        reboot_needed: 1
    hosts:
      description: The hosts, sorted by name.
      type: list
      elements: dict
      contains:
        host:
          description: Its name in the inventory.
          type: str
          sample: web1
        verdict:
          description:
            - V(kexec) can reboot through kexec now, and V(firmware) only through firmware.
            - V(refused) has a reason against any reboot.
            - V(failed) could not be asked, and V(unreachable) could not be reached.
          type: str
          sample: firmware
        running_release:
          description: The release of the running kernel, null if it is not known.
          type: str
          sample: 6.18.38-0-virt
        boot_loader:
          description: The boot loader whose configuration was read, null if none was.
          type: str
          sample: extlinux
        reboot_needed:
          description: Whether a reboot would bring another kernel, null if it is not known.
          type: bool
          sample: true
        platform:
          description:
            - What the firmware calls the machine, null if it does not say. The option
              O(alpinefleet.kexec.kexec_reboot#module:denied_platforms) takes it as it is.
          type: str
          sample: QEMU Standard PC (Q35 + ICH9, 2009)
        hung:
          description:
            - The last jump, if it did not lead to a system that was proven, with its C(release) and its C(time). Both
              are null where the host's note could not be understood. Otherwise null.
          type: dict
          sample:
            release: 6.18.56-0-virt
            time: "2026-11-26T05:40:57Z"
        reasons:
          description:
            - What was found, the gravest first, with the keys C(code), C(message), C(remedy) and C(blocks).
            - The codes are explained in
              R(the list of reasons, ansible_collections.alpinefleet.kexec.docsite.reasons).
          type: list
          elements: dict
          sample:
            - code: no_kexec_tools
              message: The kexec command is not installed.
              remedy: Install the package kexec-tools.
              blocks: kexec
"""

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"audit_report": audit.report}

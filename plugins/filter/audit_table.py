# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: audit_table
short_description: Write a report of preflights as a table
version_added: 1.0.0
description:
  - Makes lines of text from the report of P(alpinefleet.kexec.audit_report#filter).
  - First comes a line for each host, then the number of hosts with each verdict, then each reason and remedy with the
    number of hosts that it concerns.
  - No line has a control character.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
options:
  _input:
    description:
      - The report. It may come from a file, such as the one that the playbook C(alpinefleet.kexec.audit) writes.
      - What is no report fails, with all that is wrong with it. Of a part of its hosts, the total is that of the part.
    type: dict
    required: true
seealso:
  - plugin: alpinefleet.kexec.audit_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show a report as a table
  ansible.builtin.debug:
    msg: "{{ report | alpinefleet.kexec.audit_table }}"

- name: Show the report that an audit wrote
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'audit.json') | from_json | alpinefleet.kexec.audit_table }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - "HOST  VERDICT   KERNEL          BOOT LOADER  REBOOT NEEDED  REASONS"
    - "web1  firmware  6.18.38-0-virt  extlinux     yes            no_kexec_tools"
    - ""
    - "hosts 1: kexec 0, firmware 1, refused 0, failed 0, unreachable 0; reboot needed 1"
    - ""
    - "REASON          BLOCKS  HOSTS  REMEDY"
    - "no_kexec_tools  kexec   1      Install the package kexec-tools."
"""

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"audit_table": audit.table}

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: batch_sizes
short_description: Refuse sizes of batches that would be the whole fleet
version_added: 1.0.0
description:
  - Returns the sizes of batches in the form that the keyword C(serial) of a play takes.
  - Ansible takes a size that it does not understand, and one below 1, for all hosts at once. Here it fails before a
    host is asked anything.
author:
  - The alpinefleet.kexec authors (@alpinefleet)
options:
  _input:
    description:
      - The sizes, each a number of hosts, 1 or more, or a share of the play's hosts, from V(1%) to V(100%). The last
        one is repeated until no host is left.
      - One size may stand for a list of one, and a text may have several with commas between them, as an option V(-e)
        of C(ansible-playbook) has them.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Reboot one host, then a tenth of the others at a time
  hosts: web
  serial: "{{ batches | default('1,10%') | alpinefleet.kexec.batch_sizes }}"
  roles:
    - alpinefleet.kexec.fast_reboot
"""

RETURN = r"""
_value:
  description: The sizes, numbers as integers and shares as texts.
  type: list
  elements: raw
  sample:
    - 1
    - 10%
"""

import typing as t

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import batches


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"batch_sizes": batches.sizes}

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  controller_boot_id:
    description:
      - The boot of the machine that runs Ansible, from its C(/proc/sys/kernel/random/boot_id).
      - A host that runs the same boot is refused, whatever name and connection led to it.
    type: str
"""

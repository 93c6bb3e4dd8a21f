# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed, or needs changing in C(check_mode), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried has not changed in a relevant way.
  platform:
    description: Target operating systems that this content supports.
    support: full
    platforms: Alpine Linux
"""

    # For the modules that take an image.
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/alpinefleet.kexec.kexec) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - alpinefleet.kexec.kexec
"""

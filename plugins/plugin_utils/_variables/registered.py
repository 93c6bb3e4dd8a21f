# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What tasks of roles and playbooks leave for the steps after them, by the names in their files."""

from __future__ import annotations

# The role fast_reboot: its result, what it began with, and what its power cycle's command said.
RESULT = "fast_reboot_result"
BEGUN = "__fast_reboot_begun"
RESET = "__fast_reboot_reset"
# What hosts said when they were asked what they remember, by the playbook status and before others.
RECALLED = "fast_reboot_status"
ASKED = "__fast_reboot_asked"
# What the guard left, with which a playbook begins.
GUARDED = "__look_after_guarded"
# What the brake left on the hosts of its batch.
BRAKED = "__fast_reboot_braked"
# The audit: the answer of a host, and why it was not asked.
AUDITED = ("__audit_preflight", "__audit_frozen")
# Each role, for the report of its playbook: its result, and what it failed by where that has none.
LEFT_BY: dict[str, tuple[str, ...]] = {
    "fast_reboot": (RESULT,),
    "kexec_host": ("kexec_host_result", "__kexec_host_so_far"),
    "kernel_upgrade": ("kernel_upgrade_result", "__kernel_upgrade_so_far"),
    "rolling_upgrade": (RESULT, "__rolling_upgrade_so_far"),
}

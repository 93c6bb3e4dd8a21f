# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of this scenario, and how a machine is lost."""

from __future__ import annotations

from tests.plays.run import ROOT

ROLLING_UPGRADE = ROOT / "playbooks/rolling-upgrade.yml"
AUDIT = ROOT / "playbooks/audit.yml"

# There is no such init, so the kernel panics; without a time it stays so.
LOST = {
    "fast_reboot_cmdline_append": ["init=/nonexistent"],
    "fast_reboot_panic_timeout": 0,
    "fast_reboot_timeout": 60,
}

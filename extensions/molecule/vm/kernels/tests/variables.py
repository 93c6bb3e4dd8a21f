# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook of this scenario, what it is told, and where the collection keeps what on a host."""

from __future__ import annotations

import typing as t

from tests.plays.run import ROOT

KERNEL_UPGRADE = ROOT / "playbooks/kernel-upgrade.yml"

# The kernels of both Alpines of the lab.
OLD, NEW = "6.18.38-0-virt", "6.18.56-0-virt"
UPGRADE = "apk upgrade linux-virt"
# What somebody calls who upgrades by hand, and whose kernel is to load modules before the next boot.
RESTORE = "rc-service kexec-modules restore"

JOURNAL = "/var/lib/alpinefleet-kexec/trial.json"
SLOTS = "/boot/alpinefleet-kexec"
VERIFIED = "/run/alpinefleet-kexec/verified"
REQUIRED = "/etc/alpinefleet-kexec/required.d"
ENTRY = "alpinefleet-kexec-{}"
SLOT_PARAMETER = "alpinefleet_kexec.slot="
TRIAL_PARAMETER = "alpinefleet_kexec.trial="
PROOF_PARAMETER = "alpinefleet_kexec.proof="

# Without a boot through firmware before the commit, which test_cold_proof.py is about.
PLAIN: dict[str, t.Any] = {"kernel_upgrade_cold_proof": "never"}
COLD_PROOF: dict[str, t.Any] = {"kernel_upgrade_cold_proof": "always"}
FORCE: dict[str, t.Any] = {"kernel_upgrade_force": True}
ABSENT: dict[str, t.Any] = {"kernel_upgrade_slots": "absent"}
# Longer than a trial takes that nothing hinders, as it was seen on a busy machine.
DEADLINE: dict[str, t.Any] = {"kernel_upgrade_deadline": 240}

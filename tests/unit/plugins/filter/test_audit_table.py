# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit_table as Ansible finds it."""

from __future__ import annotations

import yaml
from ansible_collections.alpinefleet.kexec.plugins.filter import audit_table
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit

RESULTS = {
    "web1": {
        "able": False,
        "facts": {
            "running_release": "6.18.38-0-virt",
            "boot_loader": "extlinux",
            "reboot_needed": True,
        },
        "reasons": [
            {
                "code": "no_kexec_tools",
                "message": "The kexec command is not installed.",
                "remedy": "Install the package kexec-tools.",
                "blocks": "kexec",
            }
        ],
    }
}


def test_filter_has_its_name_and_makes_the_sample_of_its_documentation() -> None:
    ((name, made),) = audit_table.FilterModule().filters().items()
    assert name == yaml.safe_load(audit_table.DOCUMENTATION)["name"] == "audit_table"
    assert made(audit.report(RESULTS)) == yaml.safe_load(audit_table.RETURN)["_value"]["sample"]

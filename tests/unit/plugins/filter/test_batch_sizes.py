# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""batch_sizes as Ansible finds it."""

from __future__ import annotations

import yaml
from ansible_collections.alpinefleet.kexec.plugins.filter import batch_sizes


def test_filter_has_its_name_and_makes_the_sample_of_its_documentation() -> None:
    ((name, made),) = batch_sizes.FilterModule().filters().items()
    assert name == yaml.safe_load(batch_sizes.DOCUMENTATION)["name"] == "batch_sizes"
    assert made("1,10%") == yaml.safe_load(batch_sizes.RETURN)["_value"]["sample"]

# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts remember, as a table and as a report."""

from __future__ import annotations

import json

from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import remembered
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.campaign import Campaign

LEFT = {"run_id": "a" * 32, "progress": "drain", "drained": ["lb", "dns"], "unhealthy": []}
TOLD = {
    "web1": {"remembered": None},
    "web2": {"remembered": LEFT},
    "web3": {"unreachable": True, "msg": "no route"},
    "web5": {"remembered": {**LEFT, "unhealthy": ["service\x1b[2J"]}},
}
HOSTS = ["web1", "web2", "web3", "web4", "web5"]
ROWS = remembered.rows(Campaign(HOSTS, HOSTS, HOSTS, TOLD))


def test_table_has_a_line_for_each_host_of_which_there_is_something_to_say() -> None:
    assert remembered.table(ROWS) == [
        "HOST  REMEMBERS  PROGRESS  DRAINED  UNHEALTHY    RUN ID",
        f"web2  something  drain     lb, dns  -            {'a' * 32}",
        "web3  no_answer  -         -        -            -",
        "web4  no_answer  -         -        -            -",
        f"web5  something  drain     lb, dns  service [2J  {'a' * 32}",
        "",
        "hosts 5: nothing 1, something 2, no_answer 2",
    ]


def test_report_for_programs_has_all_hosts() -> None:
    found = json.loads(json.dumps(remembered.as_dict(ROWS)))
    assert [each["host"] for each in found["hosts"]] == HOSTS
    assert found["summary"] == {"hosts": 5, "nothing": 1, "something": 2, "no_answer": 2}
    assert found["hosts"][1]["drained"] == ["lb", "dns"]
    assert found["version"] == remembered.REMEMBERED_VERSION
